"""An outside service that is good, slow, failing or talks nonsense, and counts what it was asked."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GOOD, SLOW, FAILING, NONSENSE = "good", "slow", "failing", "nonsense"
HANGS = 30.0


@dataclass
class Outside:
    """Each mood at an address of its own; `mended` makes them all good."""

    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    mended: threading.Event = field(default_factory=threading.Event)

    @property
    def services(self) -> dict[str, str]:
        return {mood: f"http://127.0.0.1:{self.port}/{mood}" for mood in (GOOD, SLOW, FAILING, NONSENSE)}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        handler.rfile.read(int(handler.headers["Content-Length"]))
        self.asked[handler.headers["Idempotency-Key"]] += 1
        mood = GOOD if self.mended.is_set() else handler.path.strip("/")
        if mood == SLOW:
            self.mended.wait(HANGS)
        if mood == NONSENSE:
            handler.wfile.write(b"what do you want\r\n\r\n")
            return
        handler.send_response(500 if mood == FAILING else 200)
        handler.end_headers()
        handler.wfile.write(b'{"sent": true}')


@contextmanager
def outside() -> Iterator[Outside]:
    found = Outside()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            try:
                found.answer(self)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        found.mended.set()
        server.shutdown()
        server.server_close()
        time.sleep(0.1)
