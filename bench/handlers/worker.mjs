const handler = async (event) => event;

export default {
  async fetch(request) {
    return Response.json(await handler(await request.json(), {}));
  },
};
