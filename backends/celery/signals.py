"""Celery's worker signals, passed on to the receiver in order.

Celery's signals are the process's: every app hears of every app's worker.
"""

from _thread import start_new_thread
from threading import Lock
from typing import Any

from celery import signals

from backends.celery.app import App
from core.backend import Receiver


class WorkerSignals:
    """Tells of our app's worker that it started, is stopping and has stopped."""

    def __init__(self, app: App, receiver: Receiver) -> None:
        self._app = app
        self._receiver = receiver
        self._lock = Lock()
        self._node: str | None = None  # our worker's name, while it is up
        self._is_stopping = False
        signals.worker_ready.connect(self._on_ready)
        signals.worker_shutting_down.connect(self._on_shutting_down)
        signals.worker_shutdown.connect(self._on_shutdown)

    def end(self) -> None:
        """Report once that the worker has ended."""
        self._stopping()  # for an end that no signal brought about
        with self._lock:
            if self._node is not None:
                self._node = None
                self._receiver.worker_stopped()

    def _on_ready(self, sender: Any, **_: Any) -> None:
        if sender.app is self._app:
            self._node, self._is_stopping = sender.hostname, False
            self._receiver.worker_started(sender.controller.concurrency)

    def _on_shutting_down(self, sender: str, **_: Any) -> None:
        # Within a signal's handler: this thread may hold the very lock that the
        # receiver wants, or the one that `threading` takes to start a thread.
        if sender == self._node:
            start_new_thread(self._stopping, ())

    def _on_shutdown(self, sender: Any, **_: Any) -> None:
        if sender.app is self._app:
            self.end()

    def _stopping(self) -> None:
        with self._lock:
            if self._node is not None and not self._is_stopping:
                self._is_stopping = True
                self._receiver.worker_stopping()
