"""An app's own little server, where the browser comes back to after consent. RFC 8252, 7.3."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class App:
    """Where it listens, and with what the browser came back."""

    address: str
    came_back: list[dict[str, str]] = field(default_factory=list)

    @property
    def redirect(self) -> str:
        """The redirect address, on a port that nobody registered."""
        return f"{self.address}/callback"


@contextmanager
def listening() -> Iterator[App]:
    """Give an app that listens on a free port of the loopback interface."""
    app = App("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/callback":
                app.came_back.append({name: one[0] for name, one in parse_qs(parts.query).items()})
            self.send_response(200 if parts.path == "/callback" else 404)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Tide Table</title><main>You are connected.</main>")

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()
