"""An observer on the wire: a TCP pass-through that sees all that goes over one network.

It counts connections and bytes: what is inside is encrypted once more than it could undo.
"""

import asyncio
import threading
import time

from socks_server import greet

CHUNK = 1 << 16


class Tap:
    """Listens on a port of its own and passes on to `target_port`, on a thread of its own."""

    def __init__(self):
        self.target_port = None
        self.carried = 0  # bytes, both ways
        self.times = []  # [opened, closed] of each connection, time.perf_counter; None: still open
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()

    async def _accept(self, near_reader, near_writer):
        try:
            await self._greet(near_reader, near_writer)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except (OSError, EOFError):
            near_writer.transport.abort()  # as if the tap were not there
            return
        times = [time.perf_counter(), None]
        self.times.append(times)
        ways = [asyncio.ensure_future(self._carry(near_reader, far_writer)),
                asyncio.ensure_future(self._carry(far_reader, near_writer))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for writer in (near_writer, far_writer):
            writer.close()
        await asyncio.wait(ways)
        times[1] = time.perf_counter()

    async def _greet(self, reader, writer):
        """What comes before the connection is passed on."""

    async def _carry(self, reader, writer):
        try:
            while piece := await reader.read(CHUNK):
                self.carried += len(piece)
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # broken off: the other direction ends too


class Proxy(Tap):
    """The same as a SOCKS5 proxy."""

    async def _greet(self, reader, writer):
        await greet(reader, writer)
