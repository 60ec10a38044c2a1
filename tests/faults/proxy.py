"""A TCP proxy before a server: cut, silent, or with a reset now and then."""

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.services.environment import free_port

#: Closing such a socket sends a reset instead of an orderly end.
RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on a port of its own and passes everything on to another one."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.port = free_port()
        self.target = target
        #: The share of the server's replies at which the connection is reset.
        self.reset_share = 0.0
        self.resets = 0
        self._silent = False
        self._refusing = False
        self._random = random.Random(seed)  # noqa: S311  # guards nothing
        self._writers: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *exception: object) -> None:
        self.cut()
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Pass nothing on in either direction.

        The connections that see this stay silent for ever: on the way somebody has
        forgotten them. New ones work again afterwards.
        """
        self._silent = True
        try:
            yield
        finally:
            self._forgotten |= self._writers
            self._silent = False

    @contextmanager
    def down(self) -> Iterator[None]:
        """Reset all connections, and every new one at once."""
        self._refusing = True
        self.cut()
        try:
            yield
        finally:
            self._refusing = False

    def cut(self) -> None:
        """Reset all connections."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(self._cut, done)
        done.wait(10)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._writers) // 2

    def _cut(self, done: threading.Event) -> None:
        for writer in list(self._writers):
            self._reset(writer)
        done.set()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        link: socket.socket = writer.get_extra_info("socket")
        if link.fileno() >= 0:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        starting = asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self._server = self._loop.run_until_complete(starting)
        self._up.set()
        self._loop.run_forever()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._refusing:
            self._reset(writer)
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            self._reset(writer)
            return
        pair = {writer, there[1]}
        self._writers |= pair
        ways = [
            asyncio.ensure_future(self._pass(reader, there[1], replies=False)),
            asyncio.ensure_future(self._pass(there[0], writer, replies=True)),
        ]
        # When one side ends so does the other.
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        self._writers -= pair
        self._forgotten -= pair
        for end in pair:
            self._reset(end)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        *,
        replies: bool,
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if self._silent or target in self._forgotten:
                    continue
                if replies and self._random.random() < self.reset_share:
                    self.resets += 1
                    return
                target.write(data)
                await target.drain()
