"""The peer: the same handler on the standard library's threaded server. Usage: bare.py PORT"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from echo import handler


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Connections are kept, as with the engine.
    wbufsize = -1  # One write an answer, not one a header.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps(handler(event, None)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_: object) -> None:
        pass  # Writing a line a request would slow it down.


class Server(ThreadingHTTPServer):
    request_queue_size = 1024


if __name__ == "__main__":
    with Server(("127.0.0.1", int(sys.argv[1])), Echo) as server:
        server.serve_forever()
