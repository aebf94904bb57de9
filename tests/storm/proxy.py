"""The bad network that leads to the relay, or to one person: a TCP proxy that delays, holds, cuts and corrupts."""

import asyncio
import random
import sys
import threading
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "samples/demo"))

from socks_server import greet  # noqa: E402

CHUNK = 1 << 14


class Proxy:
    """Runs on a thread of its own. Set the faults from any thread; each is off at first."""

    def __init__(self, seed, socks=False):
        """With `socks` it is asked by SOCKS5 first, as a proxy that hides those who come."""
        self.target_port = None
        self._socks = socks
        self.delay_s = 0.0  # each piece of a stream waits for up to this long
        self.corrupting = 0.0  # probability that a byte of a piece is altered
        self.is_holding = False  # nothing passes, nothing is closed
        self.is_refusing = False  # connections are closed at once
        self.counts = {"links": 0, "cut": 0, "corrupted": 0}
        self._random = random.Random(f"{seed}/proxy")
        self._links = set()  # pairs of writers
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait()

    def cut(self, share):
        """Breaks off this share of the connections, as a dying network does."""
        self._loop.call_soon_threadsafe(self._cut, share)

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()

    def _cut(self, share):
        for link in list(self._links):
            if self._random.random() < share:
                self._break(link)

    def _break(self, link):
        self.counts["cut"] += 1
        for writer in link:
            writer.transport.abort()

    async def _accept(self, client_reader, client_writer):
        try:
            if self.is_refusing:
                raise ConnectionRefusedError
            if self._socks:
                await greet(client_reader, client_writer)
            target_reader, target_writer = await asyncio.open_connection(
                "127.0.0.1", self.target_port, limit=CHUNK)
        except (OSError, EOFError):
            client_writer.transport.abort()
            return
        link = (client_writer, target_writer)
        self._links.add(link)
        self.counts["links"] += 1
        try:
            await asyncio.gather(self._carry(client_reader, target_writer, link),
                                 self._carry(target_reader, client_writer, link))
        except OSError:
            pass
        finally:
            self._links.discard(link)
            for writer in link:
                writer.transport.abort()

    async def _carry(self, reader, writer, link):
        while piece := await reader.read(CHUNK):
            while self.is_holding:
                await asyncio.sleep(0.02)
            if self.delay_s:
                await asyncio.sleep(self._random.random() * self.delay_s)
            if self._random.random() < self.corrupting:
                piece = self._corrupt(piece, link)
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    def _corrupt(self, piece, link):
        """Half of the time a flipped bit, else the rest is cut off."""
        self.counts["corrupted"] += 1
        place = self._random.randrange(len(piece))
        if self._random.random() < 0.5:
            self._loop.call_soon(self._break, link)
            return piece[:place]
        altered = piece[place] ^ (1 << self._random.randrange(8))
        return piece[:place] + bytes([altered]) + piece[place + 1:]
