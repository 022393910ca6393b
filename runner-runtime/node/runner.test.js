'use strict';

/**
 * Tests of runner.js: the real runner in a process of its own, a controller played here.
 *
 * Usage: node --test runner-runtime/node
 */

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { FrameReader, FrameWriter, OutputWriter, takesCallback } = require('./runner.js');

const RUNNER = path.join(__dirname, 'runner.js');
const FIXTURES = path.join(__dirname, '../../common/src/test/resources/wire/frames.json');

const HELLO = 1;
const LOAD = 2;
const READY = 3;
const LOAD_FAILED = 4;
const INVOKE = 5;
const RESULT = 6;
/** Not a frame's: stands for a record of the pipe among the frames that arrive. */
const LOG = 'record';
const CANCEL = 9;
const PING = 10;
const PONG = 11;
const CREDIT = 12;
const MAX_PAYLOAD_BYTES = 6815744;

/** A hung runner fails its test instead of the whole run. */
const LIMIT = { timeout: 30_000 };

function frame(type, id, payload = '', flags = 0) {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(12);
  header.writeUInt32BE(8 + body.length, 0);
  header[4] = type;
  header[5] = flags;
  header.writeUInt32BE(id, 8);
  return Buffer.concat([header, body]);
}

const HEADER_NUMBERS = { traceParent: 1, traceState: 2, clientContext: 3, identity: 4 };

function invokePayload(
  event,
  { requestId = 'request-1', deadlineMillis = 4102444800000, headers = {} } = {},
) {
  const block = Buffer.concat(
    Object.entries(headers).map(([name, value]) => {
      const fixed = Buffer.from([HEADER_NUMBERS[name] ?? Number(name), 0, 0]);
      fixed.writeUInt16BE(Buffer.byteLength(value), 1);
      return Buffer.concat([fixed, Buffer.from(value)]);
    }),
  );
  const fixed = Buffer.alloc(12);
  fixed.writeBigUInt64BE(BigInt(deadlineMillis), 0);
  fixed.writeUInt16BE(requestId.length, 8);
  fixed.writeUInt16BE(block.length, 10);
  return Buffer.concat([fixed, Buffer.from(requestId), block, Buffer.from(event)]);
}

/** The controller's side of one runner process. */
class Controller {
  /** Starts a runner and waits for its HELLO. */
  static async start(t, { env = {} } = {}) {
    const controller = new Controller();
    controller.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'easyfaas-runner-'));
    // A pipe, as in a sandbox: what Node.js makes of 'pipe' is a socket.
    const fifo = path.join(controller.directory, 'output');
    execFileSync('mkfifo', [fifo]);
    controller.output = fs.openSync(fifo, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    const written = fs.openSync(fifo, fs.constants.O_WRONLY);
    controller.process = spawn(process.execPath, [RUNNER], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', written, written, 'pipe'], // The last is a socket: the runner's connection.
    });
    fs.closeSync(written);
    controller.exited = new Promise((resolve) =>
      controller.process.once('close', (status, signal) => resolve(signal ?? status)),
    );
    t.after(async () => {
      controller.process.kill('SIGKILL');
      await controller.exited;
      controller.pipe.destroy();
      fs.rmSync(controller.directory, { recursive: true });
    });
    controller.attach(controller.process.stdio[3]);
    controller.hello = await controller.next();
    assert.equal(controller.hello.type, HELLO);
    const mark = Buffer.from(controller.hello.json.outputMark, 'hex');
    controller.mark = Buffer.concat([Buffer.of(0xff), mark]);
    return controller;
  }

  /** Starts a runner with `files` as its code and waits until it is ready. */
  static async ready(t, files, load = {}) {
    const controller = await Controller.start(t);
    controller.load(files, load);
    controller.loadLogs = [];
    let answer = await controller.next();
    for (; answer.type === LOG; answer = await controller.next()) {
      controller.loadLogs.push(answer);
    }
    assert.equal(answer.type, READY, answer.text);
    controller.readyFrame = answer;
    return controller;
  }

  /** Starts a runner that is expected not to load `files`; returns the error object. */
  static async loadError(t, files, load = {}) {
    const controller = await Controller.start(t);
    controller.load(files, load);
    let answer = await controller.next();
    while (answer.type === LOG) {
      answer = await controller.next();
    }
    assert.equal(answer.type, LOAD_FAILED, answer.text);
    assert.deepEqual(Object.keys(answer.json), ['errorMessage', 'errorType', 'stackTrace']);
    return Object.assign(answer.json, { controller });
  }

  attach(socket) {
    this.socket = socket;
    this.frames = [];
    this.waiting = [];
    /** What is no record. */
    this.raw = '';
    /** All that was printed, in order: [id of the call, or 'raw', text]. */
    this.printed = [];
    this.unread = Buffer.alloc(0);
    this.pipe = new net.Socket({ fd: this.output, readable: true, writable: false });
    this.pipe.on('data', (chunk) => this.onPrinted(chunk));
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
        const end = 4 + received.readUInt32BE(0);
        this.readPrinted();
        this.onFrame(received.subarray(0, end));
        received = received.subarray(end);
      }
    });
    socket.on('error', () => {}); // A runner that ends on purpose may leave bytes unread.
    socket.on('close', () => {
      this.readPrinted();
      this.waiting.splice(0).forEach(({ reject }) => reject(this.ended()));
    });
  }

  /** Reads what was printed before now. */
  readPrinted() {
    const chunk = Buffer.alloc(65536);
    for (;;) {
      try {
        const size = fs.readSync(this.output, chunk);
        if (size === 0) {
          return;
        }
        this.onPrinted(chunk.subarray(0, size));
      } catch {
        return; // There is nothing.
      }
    }
  }

  onPrinted(chunk) {
    this.unread = Buffer.concat([this.unread, chunk]);
    while (this.unread.length > 0) {
      const at = this.mark === undefined ? -1 : this.unread.indexOf(this.mark);
      if (at !== 0) {
        const text = this.unread.toString('utf8', 0, at < 0 ? undefined : at);
        this.raw += text;
        const last = this.printed.at(-1);
        if (last !== undefined && last[0] === 'raw') {
          last[1] += text;
        } else {
          this.printed.push(['raw', text]);
        }
        this.unread = this.unread.subarray(at < 0 ? this.unread.length : at);
        continue;
      }
      const end = this.unread.length < 16 ? Infinity : 16 + this.unread.readUInt16BE(10);
      if (this.unread.length < end) {
        return;
      }
      const record = this.unread.subarray(0, end);
      this.unread = this.unread.subarray(end);
      const arrived = {
        type: LOG,
        flags: record[9],
        id: record.readUInt32BE(12),
        payload: record.subarray(16),
        text: record.toString('utf8', 16),
      };
      this.printed.push([arrived.id, arrived.text]);
      this.arrive(arrived);
    }
  }

  ended() {
    return new Error(`the runner closed the connection; it wrote: ${this.raw}`);
  }

  onFrame(bytes) {
    const payload = bytes.subarray(12);
    const arrived = {
      bytes,
      type: bytes[4],
      flags: bytes[5],
      id: bytes.readUInt32BE(8),
      payload,
      get text() {
        return payload.toString();
      },
      get json() {
        return JSON.parse(payload.toString());
      },
    };
    this.arrive(arrived);
  }

  arrive(arrived) {
    const waiter = this.waiting.shift();
    if (waiter) {
      waiter.resolve(arrived);
    } else {
      this.frames.push(arrived);
    }
  }

  next() {
    if (this.frames.length > 0) {
      return Promise.resolve(this.frames.shift());
    }
    if (this.socket.destroyed) {
      return Promise.reject(this.ended());
    }
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  send(...frames) {
    this.socket.write(Buffer.concat(frames));
  }

  load(files, load = {}) {
    const codeRoot = path.join(this.directory, 'task');
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(codeRoot, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
    }
    fs.mkdirSync(codeRoot, { recursive: true });
    this.codeRoot = codeRoot;
    this.send(
      frame(
        LOAD,
        0,
        JSON.stringify({
          functionBrn: 'brn:cloud:faas:bj:account:function:hello:7',
          functionName: 'hello',
          functionVersion: '7',
          handler: 'index.handler',
          codeRoot,
          memoryMegabytes: 128,
          timeoutSeconds: 5,
          concurrency: 10,
          environment: {},
          ...load,
        }),
      ),
    );
  }

  invoke(id, event = '{}', options = {}) {
    this.send(frame(INVOKE, id, invokePayload(event, options)));
  }

  /** Calls and waits for the RESULT; the records before it come along as `logs`. */
  async call(event = '{}', options = {}) {
    const id = options.id ?? 1;
    this.invoke(id, event, options);
    return this.result(id);
  }

  async result(id) {
    const logs = [];
    for (;;) {
      const arrived = await this.next();
      if (arrived.type === RESULT) {
        assert.equal(arrived.id, id);
        return Object.assign(arrived, { logs });
      }
      assert.equal(arrived.type, LOG);
      logs.push(arrived);
    }
  }

  /** Calls a handler that is expected to fail; returns the error object. */
  async callError(event, options) {
    const result = await this.call(event, options);
    assert.equal(result.flags, 1, `not failed: ${result.text}`);
    assert.deepEqual(Object.keys(result.json), ['errorMessage', 'errorType', 'stackTrace']);
    return Object.assign(result.json, { logs: result.logs });
  }

  /** What comes until the runner closes the connection. */
  async remainingFrames() {
    const frames = [];
    for (;;) {
      try {
        frames.push(await this.next());
      } catch {
        return frames;
      }
    }
  }
}

const textOf = (logs) => logs.map((log) => log.text).join('');

// --- Frames ------------------------------------------------------------------------------------

const fixtures = JSON.parse(fs.readFileSync(FIXTURES, 'utf8'));

function fixturePayload(fixture) {
  if (fixture.type === INVOKE) {
    return invokePayload(fixture.eventUtf8, fixture);
  }
  return fixture.payloadHex === undefined
    ? Buffer.from(fixture.payloadUtf8)
    : Buffer.from(fixture.payloadHex, 'hex');
}

/** Decodes with the runner's reader, the bytes delivered in chunks of `step`. */
function decode(bytes, step) {
  const frames = [];
  const reader = new FrameReader((buffer, start, end) =>
    frames.push(Buffer.from(buffer.subarray(start, end))),
  );
  for (let offset = 0; offset < bytes.length; offset += step) {
    const chunk = bytes.subarray(offset, offset + step);
    reader.push(chunk, chunk.length);
  }
  return frames;
}

test('the reader cuts the fixtures apart however they arrive', () => {
  const expected = fixtures.frames.map((fixture) => fixture.hex);
  const bytes = Buffer.from(expected.join(''), 'hex');
  assert.ok(expected.length > 0);

  for (let step = 1; step <= 200; step++) {
    const frames = decode(bytes, step);

    assert.deepEqual(
      frames.map((each) => each.toString('hex')),
      expected,
      `in chunks of ${step}`,
    );
  }
});

test('the writer writes the fixtures', () => {
  for (const fixture of fixtures.frames) {
    const writer = new FrameWriter();
    const payload = fixturePayload(fixture);
    writer.bytes(fixture.type, fixture.flags, fixture.id, payload);
    const asBytes = writer.buffer.toString('hex', 0, writer.end);
    assert.equal(asBytes, fixture.hex, fixture.name);
    if (fixture.payloadUtf8 !== undefined) {
      const other = new FrameWriter();
      other.text(fixture.type, fixture.flags, fixture.id, fixture.payloadUtf8);
      assert.equal(other.buffer.toString('hex', 0, other.end), fixture.hex, fixture.name);
    }
  }
});

for (const { name, why, hex } of fixtures.invalid) {
  test(`the invalid frame ${name} ends the runner with status 1`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, { 'index.js': 'exports.handler = () => 1' });
    controller.socket.write(Buffer.from(hex, 'hex'));
    assert.equal(await controller.exited, 1, why);
    assert.match(controller.raw, /^easyfaas runner: .+\n$/);
  });
}

test('PONG answers PING with its id, byte for byte as in the fixtures', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  const hexOf = (name) => fixtures.frames.find((fixture) => fixture.name === name).hex;

  controller.socket.write(Buffer.from(hexOf('ping'), 'hex'));

  assert.equal((await controller.next()).bytes.toString('hex'), hexOf('pong'));
});

/** Has the records of a writer written to a file; returns what `read` makes of them. */
function recordsOf(t, write) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'easyfaas-runner-'));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  const writer = new OutputWriter();
  writer.descriptor = fs.openSync(path.join(directory, 'output'), 'w');
  write(writer);
  writer.flush();
  fs.closeSync(writer.descriptor);
  const controller = new Controller();
  Object.assign(controller, { frames: [], waiting: [], printed: [], unread: Buffer.alloc(0) });
  controller.mark = Buffer.concat([Buffer.of(0xff), writer.mark]);
  controller.onPrinted(fs.readFileSync(path.join(directory, 'output')));
  assert.equal(controller.unread.length, 0);
  return controller.frames;
}

test('the writer extends the last record of the same call only', (t) => {
  const records = recordsOf(t, (writer) => {
    writer.log(0, 1, 'a');
    writer.log(0, 1, 'b');
    writer.log(1, 1, 'c');
    writer.log(0, 2, 'd');
    writer.flush();
    writer.log(0, 2, 'f');
  });
  assert.deepEqual(
    records.map((each) => [each.flags, each.id, each.text]),
    [
      [0, 1, 'ab'],
      [1, 1, 'c'],
      [0, 2, 'd'],
      [0, 2, 'f'],
    ],
  );
});

test('long output becomes several records, none of which cuts a character', (t) => {
  const text = `a${'🚀'.repeat(100_000)}`;
  const records = recordsOf(t, (writer) => writer.log(0, 1, text));
  assert.ok(records.length > 1);
  assert.ok(records.every((each) => each.payload.length <= 65520 && !each.text.includes('\ufffd')));
  assert.equal(textOf(records), text);
});

// --- Life --------------------------------------------------------------------------------------

test('HELLO names protocol and language', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  const { outputMark, ...hello } = controller.hello.json;
  assert.deepEqual(hello, {
    protocol: 2,
    language: 'nodejs',
    languageVersion: process.versions.node,
  });
  assert.match(outputMark, /^[0-9a-f]{16}$/);
});

test('a runner started long before LOAD answers PING, then loads', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  for (let id = 1; id <= 3; id++) {
    controller.send(frame(PING, id));
    const pong = await controller.next();
    assert.deepEqual([pong.type, pong.id], [PONG, id]);
  }
  controller.load({ 'index.js': 'exports.handler = async () => "late"' });
  const ready = await controller.next();
  assert.equal(ready.type, READY);
  assert.ok(Number.isInteger(ready.json.initMillis) && ready.json.initMillis >= 0);
  assert.equal((await controller.call()).text, 'late');
});

test('a runner that waits for LOAD has rehearsed, and nothing of it is seen', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  const { pid } = controller.process;
  // Until the rehearsal is over: it uses no more of the processor.
  for (let before = -1, spent = 0; before !== spent || spent === 0;) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    [before, spent] = [spent, Number(fields[11]) + Number(fields[12])];
  }
  controller.load({
    'index.js': `
      const rehearsed = Object.keys(require.cache).some((file) => file.endsWith('/rehearsal.js'));
      exports.handler = async (event, context) => [rehearsed, process.cwd() === __dirname,
        process.env.EASYFAAS_FUNCTION_NAME === context.functionName, event];`,
  });
  assert.equal((await controller.next()).type, READY);
  assert.equal((await controller.call('{"a":1}')).text, '[true,true,true,{"a":1}]');
});

test('PING is answered while a call waits', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = () => new Promise(() => {})',
  });
  controller.invoke(1);
  controller.send(frame(PING, 9));
  const pong = await controller.next();
  assert.deepEqual([pong.type, pong.id], [PONG, 9]);
});

test('end of stream ends the runner with status 0', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  controller.socket.end();
  assert.equal(await controller.exited, 0);
  assert.equal(controller.raw, '');
});

test('end of stream ends the runner while calls and timers are alive', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = () => new Promise(() => setInterval(() => {}, 1000))',
  });
  controller.invoke(1);
  controller.send(frame(PING, 2));
  await controller.next();
  controller.socket.destroy();
  assert.equal(await controller.exited, 0);
});

test('without a controller the runner ends with status 1 and says why', LIMIT, async () => {
  const child = spawn(process.execPath, [RUNNER]);
  let raw = '';
  child.stderr.on('data', (chunk) => (raw += chunk));
  const status = await new Promise((resolve) => child.once('close', resolve));
  assert.equal(status, 1);
  assert.match(raw, /^easyfaas runner: descriptor 3: .+\n$/);
});

for (const [name, frames] of [
  ['INVOKE before LOAD', [frame(INVOKE, 1, invokePayload('{}'))]],
  ['a LOAD that is not JSON', [frame(LOAD, 0, 'nonsense')]],
  ['a LOAD without a handler', [frame(LOAD, 0, '{"functionName":"hello"}')]],
  ['a LOAD that is null', [frame(LOAD, 0, 'null')]],
  ['a frame only runners send', [frame(HELLO, 0, '{}')]],
]) {
  test(`${name} is a protocol error`, LIMIT, async (t) => {
    const controller = await Controller.start(t);
    controller.send(...frames);
    assert.equal(await controller.exited, 1);
    assert.match(controller.raw, /^easyfaas runner: .+\n$/);
  });
}

for (const [name, load] of [
  ['without timeoutSeconds', { timeoutSeconds: undefined }],
  ['without concurrency', { concurrency: undefined }],
  ['with a concurrency of 0', { concurrency: 0 }],
  ['with half a concurrency', { concurrency: 1.5 }],
  ['with null for the environment', { environment: null }],
  ['with a list for the environment', { environment: [] }],
]) {
  test(`a LOAD ${name} is a protocol error`, LIMIT, async (t) => {
    const controller = await Controller.start(t);
    controller.load({ 'index.js': 'exports.handler = () => 1' }, load);
    assert.equal(await controller.exited, 1);
    assert.match(controller.raw, /^easyfaas runner: LOAD .+\n$/);
  });
}

test('a header block is at most 16,384 bytes', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = (event, context) => context.traceState.length',
  });
  const most = 16384 - 3;
  const result = await controller.call('{}', { headers: { traceState: 'x'.repeat(most) } });
  assert.equal(result.text, String(most));
  controller.invoke(2, '{}', { headers: { traceState: 'x'.repeat(most + 1) } });
  assert.equal(await controller.exited, 1);
});

test('a protocol error ends the runner also where it cannot say why', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `
require('node:fs').closeSync(2);
process.on('uncaughtException', () => {});
exports.handler = () => 1;`,
  });
  controller.send(frame(HELLO, 0, '{}'));
  assert.equal(await controller.exited, 1);
});

test('a second LOAD is a protocol error', LIMIT, async (t) => {
  const controller = await Controller.ready(t, { 'index.js': 'exports.handler = () => 1' });
  controller.load({});
  assert.equal(await controller.exited, 1);
});

test('an id in flight cannot be used again', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = () => new Promise(() => {})',
  });
  controller.invoke(1);
  controller.invoke(1);
  assert.equal(await controller.exited, 1);
});

// --- Handlers ----------------------------------------------------------------------------------

for (const [name, code, event, answer] of [
  [
    'a callback with text answers the bare text',
    '(e, c, callback) => callback(null, "text")',
    '{}',
    'text',
  ],
  ['a callback without a result answers null', '(e, c, callback) => callback()', '{}', 'null'],
  [
    'a callback later',
    '(e, c, callback) => { setImmediate(callback, null, { a: 1 }) }',
    '{}',
    '{"a":1}',
  ],
  ['a callback with a default', '(e = {}, c, cb) => { setImmediate(cb, null, 1) }', '{}', '1'],
  ['a callback from arguments', 'function () { setImmediate(arguments[2], null, 2) }', '{}', '2'],
  ['a callback from rest', '(...all) => { setImmediate(all[2], null, 3) }', '{}', '3'],
  [
    'an async function',
    'async (event) => ({ hello: event.name })',
    '{"name":"x"}',
    '{"hello":"x"}',
  ],
  [
    'an async function that waits',
    'async () => { await new Promise(setImmediate); return [1] }',
    '{}',
    '[1]',
  ],
  ['a returned promise', '() => Promise.resolve(true)', '{}', 'true'],
  ['a thenable', '() => ({ then(done) { done("thenable") } })', '{}', 'thenable'],
  ['a plain return value', '(event) => event.n + 1', '{"n":41}', '42'],
  ['a function that returns nothing', '() => {}', '{}', 'null'],
  ['an async function that returns nothing', 'async () => {}', '{}', 'null'],
  ['null', 'async () => null', '{}', 'null'],
  ['an empty text', 'async () => ""', '{}', ''],
  ['text beyond ASCII', 'async () => "grüße 世界 🚀"', '{}', 'grüße 世界 🚀'],
  ['an empty event is {}', 'async (event) => event', '', '{}'],
  [
    'an event that is not JSON is a string',
    'async (event) => typeof event + event',
    '{nope',
    'string{nope',
  ],
  ['JSON text as an event', 'async (event) => typeof event', '"text"', 'string'],
  ['context.done', '(e, context) => { setImmediate(context.done, null, "d") }', '{}', 'd'],
  ['context.succeed', '(e, { succeed }) => { setImmediate(succeed, "s") }', '{}', 's'],
  [
    'the first answer wins',
    '(e, c, cb) => { cb(null, 1); cb(null, 2); c.fail("x"); throw Error() }',
    '{}',
    '1',
  ],
]) {
  test(`handler: ${name}`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, { 'index.js': `exports.handler = ${code}` });
    const first = await controller.call(event, { id: 1 });
    assert.deepEqual([first.flags, first.text], [0, answer]);
    const second = await controller.call(event, { id: 2 });
    assert.deepEqual([second.flags, second.text], [0, answer], 'the second time');
  });
}

test('a Buffer is sent verbatim', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = async () => Buffer.from([0, 1, 0xfe, 0xff])',
  });
  assert.deepEqual((await controller.call()).payload, Buffer.from([0, 1, 0xfe, 0xff]));
});

test('takesCallback sees parameters that length does not count', () => {
  const waits = [
    (a, b, c) => c,
    (a = {}, b, c) => c,
    (a = [1, 2], b = 'x,y', c = (1, 2)) => c,
    (...all) => all,
    (a, ...rest) => rest,
    function () {
      return arguments;
    },
    {
      method(a = 1, b = 2, c = 3) {
        return c;
      },
    }.method,
  ];
  const answersAtOnce = [
    () => 0,
    (a) => a,
    // prettier-ignore
    a => { let x = a; return [x, x, ...[x]]; },
    (a, b) => b,
    ({ a, b, c }) => [a, b, c],
    ([a, b, c], d) => [a, b, c, d],
    (a = { x: 1, y: 2, z: 3 }, b = ',,,') => [a, b],
    function named(a, b) {
      return b;
    },
    Math.max.bind(null, 1),
  ];
  for (const handler of waits) {
    assert.equal(takesCallback(handler), true, String(handler));
  }
  for (const handler of answersAtOnce) {
    assert.equal(takesCallback(handler), false, String(handler));
  }
});

for (const [name, files, handler] of [
  [
    'a nested export',
    { 'index.js': 'exports.a = { b: { text: "ok", c() { return this.text } } }' },
    'index.a.b.c',
  ],
  ['a directory', { 'src/app/main.js': 'exports.run = () => "ok"' }, 'src/app/main.run'],
  ['a dot in a directory', { 'v1.2/main.js': 'exports.run = () => "ok"' }, 'v1.2/main.run'],
  ['a package directory', { 'app/index.js': 'exports.run = () => "ok"' }, 'app.run'],
  ['.cjs', { 'index.cjs': 'exports.handler = () => "ok"' }, 'index.handler'],
  ['.mjs', { 'index.mjs': 'export const handler = async () => "ok"' }, 'index.handler'],
  [
    '.mjs with a default export',
    { 'index.mjs': 'export default { handler: () => "ok" }' },
    'index.handler',
  ],
  [
    '.mjs with an await on top',
    { 'index.mjs': 'const text = await "ok"; export const handler = () => text' },
    'index.handler',
  ],
  [
    'package.json with type module',
    { 'package.json': '{"type":"module"}', 'src/index.js': 'export const handler = () => "ok"' },
    'src/index.handler',
  ],
  [
    'a module with dependencies',
    {
      'node_modules/dep/index.js': 'module.exports = "o"',
      'lib/k.js': 'module.exports = "k"',
      'index.js': 'const text = require("dep") + require("./lib/k"); exports.handler = () => text',
    },
    'index.handler',
  ],
]) {
  test(`module: ${name}`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, files, { handler });
    assert.equal((await controller.call()).text, 'ok');
  });
}

test('the context describes the call', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async (event, context) => {
      const { getRemainingTimeInMillis } = context;
      return { ...context, left: getRemainingTimeInMillis(), same: context.getRemainingTimeInMillis() > 0 };
    }`,
  });
  const deadlineMillis = Date.now() + 60_000;
  const result = await controller.call('{}', { requestId: 'rid-42', deadlineMillis });
  const { left, ...rest } = result.json;
  assert.deepEqual(rest, {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: 'rid-42',
    requestId: 'rid-42',
    functionName: 'hello',
    functionVersion: '7',
    functionBrn: 'brn:cloud:faas:bj:account:function:hello:7',
    invokedFunctionArn: 'brn:cloud:faas:bj:account:function:hello:7',
    memoryLimitInMB: 128,
    same: true,
  });
  assert.ok(left > 0 && left <= 60_000, String(left));
});

test(
  'the context has what goes with the event, and nothing where nothing does',
  LIMIT,
  async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `exports.handler = async (event, context) =>
      [context.traceParent, context.traceState, context.clientContext, context.identity];`,
    });
    const { headers } = fixtures.frames.find(({ name }) => name === 'invoke-with-headers');
    const withAll = await controller.call('{}', { headers: { ...headers, 255: 'unknown' } });
    assert.deepEqual(withAll.json, [
      headers.traceParent,
      headers.traceState,
      JSON.parse(headers.clientContext),
      JSON.parse(headers.identity),
    ]);
    const withText = await controller.call('{}', { id: 2, headers: { clientContext: 'no JSON' } });
    assert.deepEqual(withText.json, [null, null, 'no JSON', null]);
    assert.deepEqual((await controller.call('{}', { id: 3 })).json, [null, null, null, null]);
  },
);

test('CREDIT for a call that is not in flight is ignored', LIMIT, async (t) => {
  const controller = await Controller.ready(t, { 'index.js': 'exports.handler = () => 1' });
  controller.send(frame(CREDIT, 4, Buffer.from([0, 1, 0, 0])));
  assert.equal((await controller.call()).text, '1');
});

test('the environment is the user’s and the engine’s, and the engine wins', LIMIT, async (t) => {
  const controller = await Controller.ready(
    t,
    {
      'index.js': 'const seen = { ...process.env }; exports.handler = () => [seen, process.cwd()]',
    },
    {
      environment: { GREETING: 'grüße', EASYFAAS_FUNCTION_NAME: 'stolen', BCE_USER_CODE_ROOT: '/' },
    },
  );
  const [seen, directory] = (await controller.call()).json;
  const brn = 'brn:cloud:faas:bj:account:function:hello:7';
  delete seen.PATH;
  assert.deepEqual(seen, {
    GREETING: 'grüße',
    EASYFAAS_FUNCTION_BRN: brn,
    EASYFAAS_FUNCTION_NAME: 'hello',
    EASYFAAS_FUNCTION_VERSION: '7',
    EASYFAAS_FUNCTION_MEMORY_SIZE: '128',
    EASYFAAS_FUNCTION_HANDLER: 'index.handler',
    BCE_USER_FUNCTION_BRN: brn,
    BCE_USER_FUNCTION_NAME: 'hello',
    BCE_USER_FUNCTION_VERSION: '7',
    BCE_USER_FUNCTION_MEMSIZE: '128',
    BCE_USER_FUNCTION_HANDLER: 'index.handler',
    BCE_USER_CODE_ROOT: controller.codeRoot,
  });
  assert.equal(directory, controller.codeRoot);
});

// --- Concurrency -------------------------------------------------------------------------------

test('results come in the order they are ready', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const waiting = [];
    exports.handler = (event) => new Promise((resolve) => {
      waiting.push(() => resolve(event));
      if (waiting.length === 3) setImmediate(() => waiting.reverse().forEach((answer) => answer()));
    });`,
  });
  for (const id of [1, 2, 3]) {
    controller.invoke(id, `"event ${id}"`);
  }
  for (const id of [3, 2, 1]) {
    assert.equal((await controller.result(id)).text, `event ${id}`);
  }
});

test('output is named after the call that wrote it, however calls interleave', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async (event) => {
      console.log('start', event);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
      console.error('middle', event);
      await new Promise(setImmediate);
      process.stdout.write('end ' + event);
      return event;
    };`,
  });
  const calls = 40;
  for (let id = 1; id <= calls; id++) {
    controller.invoke(id, String(id * 1000));
  }
  const seen = new Map();
  for (let answered = 0; answered < calls;) {
    const arrived = await controller.next();
    const lines = seen.get(arrived.id) ?? [];
    assert.ok(!lines.includes('RESULT'), 'nothing follows a RESULT');
    lines.push(arrived.type === RESULT ? 'RESULT' : `${arrived.flags} ${arrived.text}`);
    seen.set(arrived.id, lines);
    answered += arrived.type === RESULT ? 1 : 0;
  }
  for (let id = 1; id <= calls; id++) {
    const event = id * 1000;
    assert.deepEqual(seen.get(id), [
      `0 start ${event}\n`,
      `1 middle ${event}\n`,
      `0 end ${event}`,
      'RESULT',
    ]);
  }
});

test('output while loading, and after the answer, has the id 0', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `console.log('loading');
    exports.handler = async () => { setImmediate(() => console.log('too late')); return 1; };`,
  });
  assert.deepEqual(
    controller.loadLogs.map((log) => [log.id, log.flags, log.text]),
    [[0, 0, 'loading\n']],
  );
  assert.deepEqual((await controller.call('{}', { id: 5 })).logs, []);
  const late = await controller.next();
  assert.deepEqual([late.type, late.id, late.text], [LOG, 0, 'too late\n']);
});

test('what a call wrote arrives even if it never comes back', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = () => { console.log('last words'); for (;;); }`,
  });
  controller.invoke(1);
  const log = await controller.next();
  assert.deepEqual([log.type, log.id, log.text], [LOG, 1, 'last words\n']);
});

test('process.stdout takes what a stream takes', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async () => {
      process.stdout.write(Buffer.from('bytes '));
      process.stdout.write('6865780a', 'hex');
      await new Promise((resolve) => process.stdout.write('called back\\n', resolve));
      require('node:stream').Readable.from(['piped\\n']).pipe(process.stdout, { end: true });
      await new Promise(setImmediate);
      process.stdout.end('not ended ');
      console.log('%s %d', 'formatted', 1);
      return [process.stdout.fd, process.stderr.fd];
    };`,
  });
  const result = await controller.call();
  assert.equal(textOf(result.logs), 'bytes hex\ncalled back\npiped\nnot ended formatted 1\n');
  assert.deepEqual(result.json, [1, 2]);
});

test('CANCEL aborts the signal of its call alone', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = (event, { signal }) => new Promise((resolve) =>
      signal.addEventListener('abort', () => resolve([event, signal.aborted])));`,
  });
  controller.invoke(1, '"one"');
  controller.invoke(2, '"two"');
  controller.send(frame(CANCEL, 2));
  assert.deepEqual((await controller.result(2)).json, ['two', true]);
  controller.send(frame(CANCEL, 1));
  assert.deepEqual((await controller.result(1)).json, ['one', true]);
});

test('a signal first asked for after CANCEL is aborted already', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `let go;
    exports.handler = async (event, context) => {
      if (event === 'go') return go();
      await new Promise((resolve) => (go = resolve));
      return context.signal.aborted;
    };`,
  });
  controller.invoke(1);
  controller.send(frame(CANCEL, 1), frame(CANCEL, 99));
  controller.invoke(2, '"go"');
  const results = [await controller.next(), await controller.next()];
  assert.equal(results.find(({ id }) => id === 1).text, 'true');
});

for (const [name, module] of [
  [
    'a child started while the module was loaded',
    `const child = require('node:child_process').spawn('cat');
    child.stdout.on('data', (data) => process.stdout.write(data));
    const say = (line) => child.stdin.write(line);`,
  ],
  [
    'a worker thread started while the module was loaded',
    `const { Worker } = require('node:worker_threads');
    const worker = new Worker(
      \`require('worker_threads').parentPort.on('message', (line) => process.stdout.write(line))\`,
      { eval: true });
    const say = (line) => worker.postMessage(line);`,
  ],
  [
    'a timer of a call that was answered',
    `let line = '';
    let timer;
    const say = (next) => {
      timer ??= setInterval(() => { process.stdout.write(line); line = ''; }, 1);
      line = next;
    };`,
  ],
]) {
  test(`output of ${name} belongs to the only call in flight`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `${module}
      const waiting = [];
      exports.handler = ({ line }) => {
        if (line === 'go') return waiting.splice(0).forEach((resolve) => resolve());
        if (line !== undefined) say(line);
        return new Promise((resolve) => waiting.push(resolve));
      };`,
    });
    const nextLog = async () => {
      const log = await controller.next();
      assert.equal(log.type, LOG, log.text);
      return [log.id, log.text];
    };
    controller.invoke(1, '{"line":"first\\n"}');
    assert.deepEqual(await nextLog(), [1, 'first\n']);
    controller.invoke(2, '{"line":"go"}');
    const answered = [await controller.next(), await controller.next()];
    assert.deepEqual(answered.map(({ id }) => id).sort(), [1, 2]);

    controller.invoke(3, '{"line":"third\\n"}');
    assert.deepEqual(await nextLog(), [3, 'third\n']);

    controller.invoke(4, '{"line":"of whom?\\n"}');
    assert.deepEqual(await nextLog(), [0, 'of whom?\n']);
  });
}

test('what is printed by any way is in the pipe in order', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const fs = require('node:fs');
    const { execFileSync } = require('node:child_process');
    const { promisify } = require('node:util');
    exports.handler = async () => {
      console.log('a');
      fs.writeSync(1, 'b\\n');
      console.error('c');
      execFileSync('/bin/sh', ['-c', 'echo d'], { stdio: 'inherit' });
      fs.write(1, 'e\\n', () => {});
      console.log('f');
      const { bytesWritten } = await promisify(fs.write)(2, Buffer.from('xg\\n'), 1);
      fs.writev(1, [Buffer.from('h'), Buffer.from('\\n')], () => {});
      fs.appendFileSync('/dev/stdout', 'i\\n');
      console.log('j');
      return bytesWritten;
    };`,
  });
  const { text } = await controller.call();
  assert.equal(text, '2');
  assert.deepEqual(controller.printed, [
    [1, 'a\n'],
    ['raw', 'b\n'],
    [1, 'c\n'],
    ['raw', 'd\ne\n'],
    [1, 'f\n'],
    ['raw', 'g\nh\ni\n'],
    [1, 'j\n'],
  ]);
});

/** Collects lines while a write is under way, as asynchronous loggers do. */
const LOGGER = `const fs = require('node:fs');
  let collected = '';
  let writing = false;
  const release = (error) => {
    writing = !error && collected !== '';
    if (writing) {
      const text = collected.slice(0, 256);
      collected = collected.slice(text.length);
      fs.write(1, text, 'utf8', release);
    }
  };
  const log = (line) => {
    collected += line;
    if (!writing) release();
  };`;

for (const [name, end] of [
  ['returns', 'return 1'],
  ['has awaited something and returns', `await null; log('last'); return 1`],
  ['throws', `await null; log('last'); throw new Error('no')`],
]) {
  test(`a call that ${name} is answered after what its logger writes`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `${LOGGER}
      exports.handler = async (event) => {
        for (let i = 0; i < 200; i++) log(event + '.' + i + '\\n');
        ${end};
      };`,
    });
    for (const id of [1, 2, 3]) {
      controller.raw = '';
      await controller.call(String(id), { id });
      const lines = Array.from({ length: 200 }, (_, i) => `${id}.${i}\n`).join('');
      assert.equal(controller.raw.replace('last', ''), lines);
    }
  });
}

test('a call is answered whose writes never end', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const fs = require('node:fs');
    const again = () => fs.write(1, '', again);
    exports.handler = async (event) => { if (event === 1) again(); return event; };`,
  });
  assert.equal((await controller.call('1')).text, '1');
  assert.equal((await controller.call('2', { id: 2 })).text, '2');
});

test('a write that fails tells its callback, one with wrong arguments throws', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const fs = require('node:fs');
    exports.handler = async () => {
      const thrown = [() => fs.write(1, 7, () => {}), () => fs.write(1, 'x')].map((write) => {
        try { return write(); } catch (error) { return error.code; }
      });
      fs.closeSync(1);
      const error = await new Promise((resolve) => fs.write(1, 'x', resolve));
      console.log('still there');
      return [...thrown, error.code];
    };`,
  });
  const { json, logs } = await controller.call();
  assert.deepEqual(json, ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE', 'EBADF']);
  assert.equal(textOf(logs), 'still there\n');
});

test('a character written in pieces is one, whoever writes between them', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const euro = Buffer.from('€');
    const waiting = [];
    exports.handler = async ({ name }) => {
      process.stdout.write(euro.subarray(0, 1));
      process.stderr.write(euro.subarray(0, 2));
      await new Promise((resolve) => waiting.push(resolve) === 2 && waiting.forEach((go) => go()));
      process.stdout.write(euro.subarray(1));
      process.stderr.write(Buffer.concat([euro.subarray(2), Buffer.from(name), euro.subarray(0, 2)]));
    };`,
  });
  controller.invoke(1, '{"name":"one"}');
  controller.invoke(2, '{"name":"two"}');
  const logs = [];
  for (let answered = 0; answered < 2;) {
    const arrived = await controller.next();
    answered += arrived.type === RESULT ? 1 : 0;
    logs.push(arrived);
  }
  const written = (id, flags) =>
    textOf(logs.filter((log) => log.type === LOG && log.id === id && log.flags === flags));
  assert.deepEqual(
    [written(1, 0), written(1, 1), written(2, 0), written(2, 1)],
    ['€', '€one\ufffd', '€', '€two\ufffd'],
  );
});

for (const [name, code] of [
  ['pipeline()', `await pipeline(Readable.from(['a', Buffer.from('b')]), process.stdout)`],
  [
    'pipeline() of a generator',
    `await pipeline(async function* () { yield 'a'; yield 'b' }, process.stdout)`,
  ],
  [
    'pipe()',
    `await new Promise((done) => Readable.from(['ab']).pipe(process.stdout).on('unpipe', done))`,
  ],
  ['end() with a callback', `await new Promise((done) => process.stdout.end('ab', 'utf8', done))`],
  [
    'end() with nothing but a callback',
    `process.stdout.write('ab'); await new Promise((done) => process.stdout.end(done))`,
  ],
  ['finished()', `process.stdout.end('ab'); await finished(process.stdout)`],
  [
    'write() with a callback',
    `await new Promise((done) => process.stdout.write('6162', 'hex', done))`,
  ],
  [
    'setDefaultEncoding()',
    `process.stdout.setDefaultEncoding('hex').write('6162'); process.stdout.setDefaultEncoding('utf8')`,
  ],
  [
    'cork()',
    `process.stdout.cork(); process.stdout.write('a'); process.stdout.write('b'); process.stdout.uncork()`,
  ],
  ['a DataView', `process.stdout.write(new DataView(new Uint8Array([97, 98]).buffer))`],
  [
    'destroy()',
    `process.stdout.write('ab'); process.stdout.destroy(); await once(process.stdout, 'close')`,
  ],
  [
    'Writable.toWeb()',
    `const web = Writable.toWeb(process.stdout).getWriter();
    await web.write('a'); await web.write('b'); await web.close()`,
  ],
]) {
  test(`process.stdout takes ${name} and stays open`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `const { once } = require('node:events');
      const { Readable, Writable } = require('node:stream');
      const { finished, pipeline } = require('node:stream/promises');
      exports.handler = async () => { ${code}; };`,
    });
    for (const id of [1, 2]) {
      const result = await controller.call('{}', { id });
      assert.equal(result.flags, 0, result.text);
      assert.equal(textOf(result.logs), 'ab');
    }
  });
}

test('process.stdout is a Writable in every other respect', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const { once } = require('node:events');
    exports.handler = async () => {
      const out = process.stdout;
      const thrown = [null, 1, {}].map((chunk) => {
        try { return out.write(chunk); } catch (error) { return error.code; }
      });
      const flows = out.write('x'.repeat(out.writableHighWaterMark));
      const needed = out.writableNeedDrain;
      await once(out, 'drain');
      return {
        thrown, flows, needed, after: out.writableNeedDrain, small: out.write('y'),
        state: [out.writable, out.writableEnded, out.writableFinished, out.writableLength,
          out.writableObjectMode, out.destroyed, out.fd, out.isTTY, process.stderr.fd],
      };
    };`,
  });
  const { json } = await controller.call();
  const invalid = 'ERR_INVALID_ARG_TYPE';
  assert.deepEqual(json, {
    thrown: ['ERR_STREAM_NULL_VALUES', invalid, invalid],
    flows: false,
    needed: true,
    after: false,
    small: true,
    state: [true, false, false, 0, false, false, 1, null, 2],
  });
});

// --- Size --------------------------------------------------------------------------------------

test('6 MiB go in and out unharmed', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = async (event) => event',
  });
  const text = 'grüße 世界 '.repeat(419_431);
  const event = JSON.stringify(text);
  assert.ok(Buffer.byteLength(event) >= 6 * 1024 * 1024);
  const result = await controller.call(event);
  assert.equal(result.flags, 0);
  assert.ok(result.text === text, 'the answer is the event');
});

test('a frame may arrive byte by byte', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = (event) => event.name',
  });
  const bytes = Buffer.concat([
    frame(INVOKE, 1, invokePayload('{"name":"one"}')),
    frame(PING, 2),
    frame(INVOKE, 3, invokePayload('{"name":"three"}')),
  ]);
  for (const byte of bytes) {
    await new Promise((resolve) => controller.socket.write(Buffer.from([byte]), resolve));
    await new Promise(setImmediate);
  }
  const frames = [await controller.next(), await controller.next(), await controller.next()];
  assert.deepEqual(
    frames.map(({ type, id, text }) => [type, id, text]),
    [
      [RESULT, 1, 'one'],
      [PONG, 2, ''],
      [RESULT, 3, 'three'],
    ],
  );
});

test('the longest answer fits, one byte more fails by name', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async ({ size, kind }) =>
      kind === 'text' ? 'x'.repeat(size) : Buffer.alloc(size);`,
  });
  for (const kind of ['text', 'bytes']) {
    const longest = await controller.call(JSON.stringify({ kind, size: MAX_PAYLOAD_BYTES }));
    assert.deepEqual([longest.flags, longest.payload.length], [0, MAX_PAYLOAD_BYTES]);
    const error = await controller.callError(JSON.stringify({ kind, size: MAX_PAYLOAD_BYTES + 1 }));
    assert.equal(error.errorType, 'Runtime.ResponseSizeTooLarge');
  }
});

test(
  'output without a pause waits for the controller instead of filling memory',
  LIMIT,
  async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `exports.handler = () => {
      const line = 'x'.repeat(1023) + '\\n';
      const before = process.memoryUsage.rss();
      let most = before;
      for (let i = 0; i < 48 * 1024; i++) {
        process.stdout.write(line);
        if (i % 1024 === 0) most = Math.max(most, process.memoryUsage.rss());
      }
      return most - before;
    };`,
    });
    // A reader slower than the writer.
    controller.socket.on('data', () => {
      controller.socket.pause();
      setTimeout(() => controller.socket.resume(), 4);
    });
    const result = await controller.call();
    assert.equal(
      result.logs.reduce((sum, log) => sum + log.payload.length, 0),
      48 * 1024 * 1024,
    );
    assert.ok(result.json < 24 * 1024 * 1024, `grew by ${result.json}`);
  },
);

// --- Errors (§6) -------------------------------------------------------------------------------

for (const [name, code, errorType, errorMessage] of [
  ['a throw', '() => { throw new TypeError("boom") }', 'TypeError', 'boom'],
  ['a rejection', 'async () => { throw new RangeError("boom") }', 'RangeError', 'boom'],
  ['a callback with an error', '(e, c, cb) => cb(new Error("boom"))', 'Error', 'boom'],
  ['a callback with a text', '(e, c, cb) => cb("boom")', 'Error', 'boom'],
  ['context.fail', '(e, c) => { setImmediate(c.fail, new Error("boom")) }', 'Error', 'boom'],
  ['context.done with an error', '(e, c) => c.done(new Error("boom"))', 'Error', 'boom'],
  [
    'a class of its own',
    '() => { class Own extends Error {}; throw new Own("boom") }',
    'Own',
    'boom',
  ],
  [
    'a name of its own',
    '() => { throw Object.assign(new Error("boom"), { name: "Own" }) }',
    'Own',
    'boom',
  ],
  ['a text thrown', 'async () => { throw "boom" }', 'Error', 'boom'],
  ['nothing thrown', 'async () => { throw undefined }', 'Error', 'undefined'],
  ['an object thrown', 'async () => { throw { code: 7 } }', 'Error', '{"code":7}'],
  [
    'an error of another realm',
    '() => require("vm").runInNewContext("throw new TypeError(\'boom\')")',
    'TypeError',
    'boom',
  ],
  ['a message that throws', '() => { throw { get message() { throw 1 } } }', 'Error', /./],
  [
    'a cycle',
    'async () => { const a = {}; a.a = a; return a }',
    'Runtime.MarshalError',
    /circular/i,
  ],
  ['a BigInt', 'async () => 1n', 'Runtime.MarshalError', /BigInt/],
  ['a function', '() => () => {}', 'Runtime.MarshalError', /it is a function/],
  [
    'a toJSON that throws',
    '() => ({ toJSON() { throw new Error("boom") } })',
    'Runtime.MarshalError',
    /boom/,
  ],
  [
    'an answer that cannot be asked what it is',
    `(event, context, callback) => { setImmediate(callback, null,
      new Proxy({}, { getPrototypeOf() { throw new Error("boom") } })) }`,
    'Error',
    'boom',
  ],
  ['a then that throws', '() => ({ get then() { throw new Error("boom") } })', 'Error', 'boom'],
]) {
  test(`failure: ${name}`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, { 'index.js': `exports.handler = ${code}` });
    const error = await controller.callError();
    assert.equal(error.errorType, errorType);
    assert.match(
      error.errorMessage,
      errorMessage instanceof RegExp
        ? errorMessage
        : new RegExp(`^${errorMessage.replace(/[{}]/g, '\\$&')}$`),
    );
    const again = await controller.callError('{}', { id: 2 });
    assert.equal(again.errorType, errorType, 'the runner goes on');
  });
}

test('the stack trace is the user’s, innermost first', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `function inner() { throw new Error('boom'); }
function outer() { inner(); }
exports.handler = (event) => { outer(); };`,
  });
  const file = path.join(controller.codeRoot, 'index.js');
  const { stackTrace } = await controller.callError();
  assert.deepEqual(stackTrace.slice(0, 2), [`at inner (${file}:1:26)`, `at outer (${file}:2:20)`]);
  // Releases of Node.js name the third one differently.
  assert.equal(stackTrace.length, 3);
  assert.match(stackTrace[2], /^at .*handler.* \(.*\/index\.js:3:32\)$/);
});

test('the stack trace leaves out the event loop', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = (e, c, callback) => {
  setTimeout(function later() { callback(new Error('boom')); });
};`,
  });
  const file = path.join(controller.codeRoot, 'index.js');
  const error = await controller.callError();
  assert.deepEqual(error.stackTrace, [`at Timeout.later [as _onTimeout] (${file}:2:42)`]);
});

test('an error of any size fits a frame', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': 'exports.handler = () => { throw new Error("\\u0001".repeat(8e6)) }',
  });
  const error = await controller.callError();
  assert.ok(error.errorMessage.length > 1000);
});

for (const [name, files, load, errorType, errorMessage] of [
  [
    'no such export',
    { 'index.js': 'exports.other = 1' },
    {},
    'Runtime.HandlerNotFound',
    'The module "index" exports no function "handler"',
  ],
  [
    'an export that is no function',
    { 'index.js': 'exports.handler = 1' },
    {},
    'Runtime.HandlerNotFound',
    'The module "index" exports no function "handler"',
  ],
  [
    'an ES module without the export',
    { 'index.mjs': 'export const a = 1' },
    {},
    'Runtime.HandlerNotFound',
    'The module "index" exports no function "handler"',
  ],
  [
    'a module that exports null',
    { 'index.js': 'module.exports = null' },
    {},
    'Runtime.HandlerNotFound',
    'The module "index" exports no function "handler"',
  ],
  ['no such module', {}, {}, 'Runtime.ImportModuleError', /^Cannot find module "index" in \//],
  [
    'a missing dependency',
    { 'index.js': 'require("absent")' },
    {},
    'Runtime.ImportModuleError',
    "Cannot find module 'absent'",
  ],
  [
    'a missing import',
    { 'index.mjs': 'import "absent"' },
    {},
    'Runtime.ImportModuleError',
    /^Cannot find package 'absent'/,
  ],
  [
    'a syntax error',
    { 'index.js': '\n\nexports.handler = (' },
    {},
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: Unexpected end of input/,
  ],
  [
    'a syntax error in an ES module',
    { 'index.mjs': 'export const handler = ;' },
    {},
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: Unexpected token/,
  ],
  [
    'a syntax error in a dependency',
    { 'index.js': 'require("./a")', 'a.js': '}' },
    {},
    'Runtime.UserCodeSyntaxError',
    /^SyntaxError: Unexpected token/,
  ],
  ['JSON.parse on top', { 'index.js': 'JSON.parse("{")' }, {}, 'SyntaxError', /JSON/],
  ['a throw on top', { 'index.js': 'throw new RangeError("boom")' }, {}, 'RangeError', 'boom'],
  [
    'a rejection on top',
    { 'index.mjs': 'await Promise.reject(new RangeError("boom"))' },
    {},
    'RangeError',
    'boom',
  ],
  [
    'a handler without a dot',
    {},
    { handler: 'index' },
    'Runtime.MalformedHandlerName',
    'The handler "index" is not of the form "module.function"',
  ],
  [
    'an empty handler',
    {},
    { handler: '' },
    'Runtime.MalformedHandlerName',
    'The handler "" is not of the form "module.function"',
  ],
  ['a handler without a function', {}, { handler: 'index.' }, 'Runtime.MalformedHandlerName', /./],
  ['a handler without a module', {}, { handler: '.handler' }, 'Runtime.MalformedHandlerName', /./],
  [
    'a handler outside the code',
    {},
    { handler: '../index.handler' },
    'Runtime.MalformedHandlerName',
    /./,
  ],
  [
    'a handler with an empty step',
    {},
    { handler: 'index.a..b' },
    'Runtime.MalformedHandlerName',
    /./,
  ],
  [
    'process.exit on top',
    { 'index.js': 'process.exit(3)' },
    {},
    'Runtime.ExitError',
    'Process exited before completing request: exit status 3',
  ],
]) {
  test(`load failure: ${name}`, LIMIT, async (t) => {
    const error = await Controller.loadError(t, files, load);
    assert.equal(error.errorType, errorType);
    if (errorMessage instanceof RegExp) {
      assert.match(error.errorMessage, errorMessage);
    } else {
      assert.equal(error.errorMessage, errorMessage);
    }
    assert.ok(error.stackTrace.every((line) => !line.includes(RUNNER) && !line.includes('node:')));
  });
}

test('a syntax error says where', LIMIT, async (t) => {
  const error = await Controller.loadError(t, { 'index.js': 'let a;\nlet b = ;\n' });
  assert.deepEqual(error.stackTrace, [`at ${path.join(error.controller.codeRoot, 'index.js')}:2`]);
});

test('the runner stays connected after LOAD_FAILED', LIMIT, async (t) => {
  const { controller } = await Controller.loadError(t, { 'index.js': 'exports.handler = 1' });
  controller.send(frame(PING, 4));
  assert.equal((await controller.next()).type, PONG);
  controller.invoke(1);
  assert.equal(await controller.exited, 1, 'but takes no call');
});

test('a rejection nobody handles while an ES module loads is a load failure', LIMIT, async (t) => {
  const error = await Controller.loadError(t, {
    'index.mjs':
      'Promise.reject(new Error("boom")); await new Promise(() => setInterval(() => {}, 1000))',
  });
  assert.equal(error.errorType, 'Runtime.UnhandledPromiseRejection');
  assert.equal(error.errorMessage, 'Error: boom');
});

for (const [name, code, errorType] of [
  [
    'a rejection nobody handles',
    'Promise.reject(new RangeError("boom"))',
    'Runtime.UnhandledPromiseRejection',
  ],
  [
    'an exception in a timer',
    'setTimeout(() => { throw new RangeError("boom") })',
    'Runtime.UncaughtException',
  ],
]) {
  test(`${name} fails every call in flight and ends the process`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `exports.handler = (event) => new Promise(() => {
        console.log('before');
        if (event === 'bad') { ${code} }
      });`,
    });
    controller.invoke(1, '"good"');
    controller.invoke(2, '"bad"');
    const results = (await controller.remainingFrames()).filter(({ type }) => type === RESULT);
    assert.deepEqual(
      results.map(({ id, flags, json }) => [id, flags, json.errorType, json.errorMessage]),
      [
        [1, 3, errorType, 'RangeError: boom'],
        [2, 3, errorType, 'RangeError: boom'],
      ],
    );
    assert.match(results[0].json.stackTrace[0], /index\.js/);
    assert.equal(await controller.exited, 128);
  });

  test(`${name} between calls is written to stderr and ends the process`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `exports.handler = () => { setTimeout(() => { ${code} }); return 1; }`,
    });
    assert.equal((await controller.call()).text, '1');
    const log = await controller.next();
    assert.deepEqual([log.type, log.flags, log.id], [LOG, 1, 0]);
    assert.match(log.text, new RegExp(`^${errorType}: RangeError: boom\n +at .*index\\.js`));
    assert.equal(await controller.exited, 128);
  });
}

test('user code may handle its uncaught exceptions itself', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `process.on('uncaughtException', () => {});
    process.on('unhandledRejection', () => {});
    exports.handler = (e, c, callback) => {
      setImmediate(() => callback(null, 'alive'));
      process.nextTick(() => { throw new Error('boom') });
      Promise.reject(new Error('boom'));
    };`,
  });
  assert.equal((await controller.call()).text, 'alive');
});

test('process.exit fails its calls, after everything they wrote', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `process.on('exit', () => console.log('goodbye'));
    exports.handler = async (event) => {
      if (event !== 'exit') return new Promise(() => {});
      process.stdout.write('x'.repeat(3e6));
      process.exit(7);
    };`,
  });
  controller.invoke(1, '"stay"', { requestId: 'rid-1' });
  controller.invoke(2, '"exit"', { requestId: 'rid-2' });
  const frames = await controller.remainingFrames();
  const last = frames.findLastIndex(({ type }) => type === LOG);
  assert.ok(last < frames.findIndex(({ type }) => type === RESULT));
  assert.deepEqual(new Set(frames.slice(0, last + 1).map(({ id }) => id)), new Set([2]));
  const written = textOf(frames.slice(0, last + 1));
  assert.ok(written === `${'x'.repeat(3e6)}goodbye\n`, `${written.length} characters`);
  assert.deepEqual(
    frames.filter(({ type }) => type === RESULT).map(({ id, flags, json }) => [id, flags, json]),
    [1, 2].map((id) => [
      id,
      3,
      {
        errorMessage: `RequestID: rid-${id} Process exited before completing request: exit status 7`,
        errorType: 'Runtime.ExitError',
        stackTrace: [],
      },
    ]),
  );
  assert.equal(await controller.exited, 7);
});

test('what is printed at exit comes before the answer, also by the last', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `
    exports.handler = async () => {
      process.on('exit', () => console.log('one'));
      process.on('exit', () => { throw new Error('two'); });
      process.exitCode = 5;
      process.exit();
    };`,
  });
  const result = await controller.call();
  assert.equal(textOf(result.logs), 'one\nError: two\n');
  assert.equal(result.json.errorType, 'Runtime.ExitError');
  assert.equal(await controller.exited, 5);
});

for (const [name, listener] of [
  ['asks for an exit itself', '() => process.exit(9)'],
  ['never ends', '() => { for (;;); }'],
]) {
  test(`an answer survives a listener of exit that ${name}`, LIMIT, async (t) => {
    const controller = await Controller.ready(t, {
      'index.js': `process.on('exit', ${listener});
      exports.handler = (event, context, callback) => {
        return event === 'exit' ? process.exit(7) : callback(null, event);
      };`,
    });
    controller.invoke(1, '"stays"');
    controller.invoke(2, '"exit"');
    const answer = await controller.next();
    assert.deepEqual([answer.type, answer.id, answer.text], [RESULT, 1, 'stays']);
    if (name.startsWith('asks')) {
      const exit = await controller.next();
      assert.deepEqual([exit.type, exit.id, exit.flags], [RESULT, 2, 3]);
      assert.match(exit.json.errorMessage, /exit status 9$/);
      assert.equal(await controller.exited, 9);
    }
  });
}

test('an exit with what is no status is the mistake of its call', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async (event) => event === 'exit' ? process.exit('x') : event;`,
  });
  assert.equal((await controller.call('"exit"')).json.errorType, 'TypeError');
  assert.equal((await controller.call('"alive"', { id: 2 })).text, 'alive');
});

test('what is printed at exit while loading comes before the failure', LIMIT, async (t) => {
  const controller = await Controller.start(t);
  controller.load({
    'index.js': `process.on('exit', () => console.log('goodbye')); process.exit(3);`,
  });
  const [log, failed] = await controller.remainingFrames();
  assert.deepEqual([log.type, log.text], [LOG, 'goodbye\n']);
  assert.deepEqual([failed.type, failed.json.errorType], [LOAD_FAILED, 'Runtime.ExitError']);
  assert.equal(await controller.exited, 3);
});

test('an answer the controller is slow to read survives process.exit', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `const fs = require('node:fs');
    const filler = Array.from({ length: 500_000 }, (_, i) => String(i).padStart(8)).join('');
    exports.handler = async (event) => {
      if (event === 'big') return filler;
      fs.writeSync(1, 'exits');
      process.exit(0);
    };`,
  });
  // The event loop has sent a part of the answer when the process ends.
  const exits = new Promise((resolve) => controller.pipe.once('data', resolve));
  let seen = 0;
  controller.socket.on('data', (chunk) => {
    seen += chunk.length;
    if (seen > 1_000_000 && controller.pipe.listenerCount('data') > 1) {
      controller.socket.pause();
      controller.invoke(2, '"exit"');
      seen = -Infinity;
    }
  });
  controller.invoke(1, '"big"');
  await exits;
  controller.socket.resume();
  const [big, exit, ...more] = await controller.remainingFrames();
  assert.deepEqual([big.type, big.id, big.flags, big.payload.length], [RESULT, 1, 0, 4_000_000]);
  for (let i = 0; i < 500_000; i++) {
    assert.ok(big.payload.toString('latin1', i * 8, i * 8 + 8) === String(i).padStart(8));
  }
  assert.deepEqual([exit.type, exit.id, exit.json.errorType], [RESULT, 2, 'Runtime.ExitError']);
  assert.deepEqual(more, []);
});

test('nothing but frames leaves the runner', LIMIT, async (t) => {
  const controller = await Controller.ready(t, {
    'index.js': `exports.handler = async () => {
      console.log('a'); console.error('b'); console.table([1]); console.trace('c');
      process.emitWarning('d'); await new Promise(setImmediate); return 1;
    }`,
  });
  const result = await controller.call();
  assert.match(textOf(result.logs), /Warning: d/);
  controller.socket.end();
  await controller.exited;
  assert.equal(controller.raw, '');
});
