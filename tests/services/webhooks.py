"""A real HTTP receiver in a thread of the tests' process; it may be slow, or refuse."""

import json
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def json(self) -> Any:
        """Its body, read."""
        return json.loads(self.body)


class Webhooks:
    """Takes every POST and keeps it, when it has answered."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        #: What it answers, and with which headers.
        self.status = 204
        self.reason: str | None = None
        self.headers: dict[str, str] = {}
        #: It answers only once this is set.
        self.may_answer = threading.Event()
        self.may_answer.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_port

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}/hook/of-a-secret-kind"

    def __enter__(self) -> Self:
        serve = partial(self._server.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()

    def of(self, rule: str, event: str) -> list[Received]:
        """Return what a rule has told of an event."""
        wanted = {"rule": rule, "event": event}
        return [
            one
            for one in list(self.received)
            if wanted.items() <= {k: one.json[k] for k in wanted}.items()
        ]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keeper = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # http.server's name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = dict(self.headers.items())
                keeper.received.append(
                    Received(self.path, headers, body, time.monotonic())
                )
                keeper.may_answer.wait(60)
                self.send_response(keeper.status, keeper.reason)
                for name, value in keeper.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        return Handler


class Dripping:
    """Takes a connection and answers a byte at a time, for ever."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            try:
                while not self._stop.wait(0.02):
                    connection.sendall(b"H")
            except OSError:
                return  # it has hung up
