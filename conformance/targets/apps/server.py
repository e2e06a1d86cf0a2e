# The routes of the target tests on Python's http.server: HTTP/1.0, and the end of a body is the end of the connection.
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = b"x" * (8 * 2**20)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def start(self, status=200):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()

    def do_HEAD(self):
        self.start(200 if self.path == "/hello" else 404)

    def do_GET(self):
        forwarded = self.headers.get("x-forwarded-for", "")
        pages = {"/hello": b"hello", "/large": LARGE, "/forwarded": forwarded.encode()}
        if self.path == "/stream":
            self.start()
            for tick in range(10):
                self.wfile.write(f"tick {tick}\n".encode())
                self.wfile.flush()
                time.sleep(0.002)
        else:
            self.start(200 if self.path in pages else 404)
            self.wfile.write(pages.get(self.path, b"not found"))

    def do_POST(self):
        body = self.read_chunks() if self.headers.get("Transfer-Encoding") else self.read_counted()
        self.start()
        self.wfile.write(body)

    def read_counted(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        return body


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
