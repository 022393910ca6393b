'use strict';
// Runs the JavaScript it is sent, inside a function: `{"code": "return 1 + 1"}` answers `2`.
// `state` keeps what the code puts there from one call to the next.

const AsyncFunction = (async () => {}).constructor;
const state = {};

exports.handler = async (event, context) => {
  const run = new AsyncFunction('require', 'process', 'state', 'event', 'context', event.code);
  return { answer: (await run(require, process, state, event, context)) ?? null };
};
