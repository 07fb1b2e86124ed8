"""A file server on the loopback that plays the hubs, with their failures."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Files:
    """What the server has, by path without the leading slash, and what it was asked for.

    `cut` bytes are sent of the next answers before the connection breaks, one entry each; `busy` is
    how many requests are answered with 503 first; `ranges` whether parts are served.
    """

    def __init__(self):
        self.content, self.requests, self.cut = {}, [], []
        self.busy, self.ranges = 0, True
        self.lock = threading.Lock()

    def asked(self, path):
        """Ranges that were asked for at this path; None for all of it."""
        return [wanted for name, wanted in self.requests if name == path]


def _handler(files):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path, wanted = self.path.lstrip("/").partition("?")[0], self.headers.get("Range")
            with files.lock:
                files.requests.append((path, wanted))
                busy, files.busy = files.busy, max(0, files.busy - 1)
                cut = files.cut.pop(0) if files.cut and path in files.content else None
            if busy:
                return self._answer(503, b"")
            if path not in files.content:
                return self._answer(404, b"")
            body = files.content[path]
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if wanted and files.ranges and self.headers.get("If-Range") in (None, tag):
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if start >= len(body):
                    return self._answer(416, b"")
                return self._answer(206, body[start:], tag, cut)
            return self._answer(200, body, tag, cut)

        def _answer(self, status, body, tag="", cut=None):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if tag:
                self.send_header("ETag", tag)
            self.end_headers()
            self.wfile.write(body[:cut])
            if cut is not None:
                self.wfile.flush()
                self.close_connection = True

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def serving(files):
    """The address of a server of these files."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(files))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
