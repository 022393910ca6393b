// The peer: the same handler on Deno's own server. Usage: deno run --allow-net bare.deno.js PORT
const handler = async (event) => event;

Deno.serve({ port: Number(Deno.args[0]), hostname: '127.0.0.1', onListen() {} }, async (request) => {
  return Response.json(await handler(await request.json(), {}));
});
