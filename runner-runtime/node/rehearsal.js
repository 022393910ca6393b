'use strict';

/** A function like those of users: what a prewarmed Node.js runner loads and calls in advance. */
exports.handler = async (event) => event;
