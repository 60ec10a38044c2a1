"""A process that dies in the middle of a body, as far as one thread can play it."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from django.core.mail import EmailMessage
from django.db import connections

T = TypeVar("T")

#: Of no account by itself, and what must go on after a crash: the server does it.
_PLAIN = ("SELECT", "SAVEPOINT", "RELEASE", "BEGIN", "EXPLAIN")
_UNDO = ("ROLLBACK", "RELEASE")


class Crash(BaseException):
    """The process is dead. No body catches it that means `Exception`."""


class Stopper:
    """Lets a number of steps of a body through, and then nothing any more.

    A step is a statement that is no query, a mail, or something sent through a socket.
    What the body does before its next step has happened, its commits too.
    """

    def __init__(self, steps: float = float("inf")) -> None:
        self.steps = steps
        #: What the body has done.
        self.seen: list[str] = []
        self.is_dead = False
        self._is_armed = False

    def call(self, body: Callable[[], T]) -> T:
        """Call a body; at its end comes the crash that has not come before."""
        self._is_armed = True
        try:
            value = body()
        finally:
            self._is_armed = False
        if len(self.seen) >= self.steps:
            self._die()
        return value

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this thread's statements, mails and sockets."""
        with ExitStack() as stack:
            for alias in connections:
                stack.enter_context(connections[alias].execute_wrapper(self._execute))
            stack.enter_context(patch.object(EmailMessage, "send", self._mail()))
            for name in ("connect", "sendall"):
                stack.enter_context(patch.object(socket.socket, name, self._send(name)))
            yield

    def _execute(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, about: Any
    ) -> Any:
        word = sql.lstrip(" (").split(" ", 1)[0].upper()
        if self.is_dead:
            if word not in _UNDO:
                raise Crash
        elif word not in (*_PLAIN, *_UNDO):
            self._step(" ".join(sql.split())[:100])
        return execute(sql, params, many, about)

    def _mail(self) -> Callable[..., Any]:
        real = EmailMessage.send

        def send(mail: EmailMessage, *args: Any, **kwargs: Any) -> Any:
            self._step(f"mail to {', '.join(mail.recipients())}")
            return real(mail, *args, **kwargs)

        return send

    def _send(self, name: str) -> Callable[..., Any]:
        real = getattr(socket.socket, name)

        def act(sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
            self._step(f"socket.{name}")
            return real(sock, *args, **kwargs)

        return act

    def _step(self, what: str) -> None:
        if self.is_dead:
            raise Crash
        if not self._is_armed:
            return
        if len(self.seen) >= self.steps:
            self._die()
        self.seen.append(what)

    def _die(self) -> None:
        self.is_dead = True
        raise Crash
