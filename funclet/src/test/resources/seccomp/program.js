// What Node.js programs do: workers, children, files, watches, sockets, compression, timers.
'use strict';
const assert = require('assert');
const { execFileSync, spawn } = require('child_process');
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const os = require('os');
const { Worker } = require('worker_threads');
const zlib = require('zlib');

const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

async function main() {
  assert.strictEqual(execFileSync('/bin/echo', ['hello']).toString(), 'hello\n');
  const child = spawn('/bin/cat');
  child.stdin.end('through a pipe');
  assert.strictEqual((await once(child.stdout, 'data')).toString(), 'through a pipe');
  const worker = new Worker('require("worker_threads").parentPort.postMessage(7)', { eval: true });
  assert.strictEqual(await once(worker, 'message'), 7);

  fs.mkdirSync('/tmp/node');
  const watcher = fs.watch('/tmp/node');
  fs.writeFileSync('/tmp/node/file', 'text');
  await once(watcher, 'change');
  watcher.close();
  fs.copyFileSync('/tmp/node/file', '/tmp/node/copy');
  assert.strictEqual(await fs.promises.readFile('/tmp/node/copy', 'utf8'), 'text');
  fs.rmSync('/tmp/node', { recursive: true });

  const server = http.createServer((_, response) => response.end('answer'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${server.address().port}/`);
  assert.strictEqual(await response.text(), 'answer');
  server.closeAllConnections();
  server.close();

  assert.strictEqual(zlib.gunzipSync(zlib.gzipSync('zip')).toString(), 'zip');
  assert.strictEqual(crypto.randomBytes(8).length, 8);
  assert.ok(os.networkInterfaces().lo && os.cpus().length > 0);
  await new Promise((resolve) => setTimeout(resolve, 1));
  console.log('fine');
}

main();
