const handler = async (event) => event;

export default {
  async fetch(request) {
    if (request.method !== 'POST') {
      return new Response();
    }
    return Response.json(await handler(await request.json(), {}));
  },
};
