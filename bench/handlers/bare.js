'use strict';

// The peer: the same handler on bare node:http. Usage: node bare.js PORT
const http = require('node:http');
const { handler } = require('./echo.js');

http
  .createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const event = JSON.parse(Buffer.concat(chunks).toString());
      const body = Buffer.from(JSON.stringify(await handler(event, {})));
      response.writeHead(200, { 'Content-Length': body.length });
      response.end(body);
    });
  })
  .listen(Number(process.argv[2]), '127.0.0.1');
