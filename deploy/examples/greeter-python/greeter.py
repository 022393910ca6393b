import os


def greet(event, context):
    name = event.get("name", "stranger")
    print("greeting", name)
    return {"greeting": f"{os.environ.get('GREETING', 'Hello')}, {name}!", "version": context.function_version}
