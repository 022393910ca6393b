"""A function like those of users: what a prewarmed Python runner loads and calls in advance."""


def handler(event, context):
    return event
