#!/usr/bin/env python3
"""A private Tor network from outside: an onion service that only one key may reach, a relay that
dies, a network that is gone and comes back, and an end that leaves nothing.

Exits with 77 when tor is not installed.
"""

import base64
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

from tor_process import Control, TorError, TorMissing, TorProcess  # noqa: E402
from tor_process import find_program, wait_until  # noqa: E402
from tornet import TorNet  # noqa: E402

SKIPPED = 77
LIMIT_S = 90  # no step takes so long, not even on a busy machine
RECOVERY_S = 180  # a client remembers for 120 s that an introduction point failed
DIAL_S = 10  # one dial; a dial that was begun in an outage would hang for longer
RELAYS = 6  # one may die, and every circuit still finds a way
MEGABYTE = 1 << 20
PROGRAM = Path(__file__).with_name("tornet.py")
IPV4, IPV6 = 1, 4
CONNECTED, NO_AUTHORISATION, WRONG_AUTHORISATION = 0x00, 0xF4, 0xF5


def x25519_public(secret: bytes) -> bytes:
    """The public key of RFC 7748, section 5; in variable time, so for tests only."""
    p = 2**255 - 19
    k = int.from_bytes(secret, "little") & ~(7 | 1 << 255) | 1 << 254
    x2, z2, x3, z3, swapped = 1, 0, 9, 1, 0
    for bit in range(254, -1, -1):
        if swapped != k >> bit & 1:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = k >> bit & 1
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % p, c * b % p
        e = a * a - b * b
        x3, z3 = (da + cb) ** 2 % p, 9 * (da - cb) ** 2 % p
        x2, z2 = a * a * b * b % p, e * (a * a + 121665 * e) % p
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


def base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def gone(pid: int) -> bool:
    """Whether a process has ended. One whose parent died may wait to be collected."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def add_onion(control: Control, port: int, target: Path, key_of_client: bytes) -> str:
    """Publishes a service for one client. Its address, without .onion, once it can be reached."""
    control.ask("SETEVENTS HS_DESC")
    lines = control.ask(f"ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,V3Auth Port={port},unix:{target}"
                        f" ClientAuthV3={base32(key_of_client)}")
    service = next(line for line in lines if line.startswith("ServiceID="))[len("ServiceID="):]
    under_way, descriptors = 0, set()  # one descriptor is of this period of time, one of the next
    until = time.monotonic() + LIMIT_S
    while under_way > 0 or len(descriptors) < 2:
        words = control.event(until - time.monotonic()).split()
        if words[2] != service:
            continue
        if words[1] == "UPLOAD":
            under_way += 1
            descriptors.add(words[5])
        elif words[1] in ("UPLOADED", "FAILED"):
            under_way -= 1
    control.ask("SETEVENTS")
    return service


def receive(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes, or less if the other end closes."""
    data = b""
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return data


def dial(proxy: Path, host: str, port: int) -> tuple[int, socket.socket | None]:
    """SOCKS5 (RFC 1928) over a unix socket: the code of the answer; the connection if it is 0."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(DIAL_S)
        connection.connect(str(proxy))
        connection.sendall(b"\x05\x01\x00")
        if receive(connection, 2) != b"\x05\x00":
            raise AssertionError("not the SOCKS that was asked for")
        name = host.encode()
        connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name
                           + port.to_bytes(2, "big"))
        _, code, _, kind = receive(connection, 4)
        size = {IPV4: 4, IPV6: 16}.get(kind) or receive(connection, 1)[0]
        receive(connection, size + 2)  # where the other end is
    except BaseException:
        connection.close()
        raise
    if code != CONNECTED:
        connection.close()
        return code, None
    connection.settimeout(LIMIT_S)
    return code, connection


class Echo:
    """A service on a unix socket that sends back what it receives."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # ends accept()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    @staticmethod
    def _echo(connection: socket.socket) -> None:
        with connection:
            try:
                while piece := connection.recv(1 << 16):
                    connection.sendall(piece)
            except OSError:
                pass  # broken off


class Program:
    """tornet.py, run as a program."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-B", str(PROGRAM), *arguments], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], LIMIT_S)[0]:
            raise AssertionError("it printed nothing")
        return self.process.stdout.readline().rstrip("\n")

    def ask(self, command: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.line()

    def end(self) -> str:
        """Closes its input; what it said while it ran."""
        _, said = self.process.communicate(timeout=LIMIT_S)
        return said

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def clean_up(self) -> None:
        """Ends it, should a test have failed before it did."""
        try:
            if self.process.poll() is None:
                self.end()
        finally:
            self.kill()


def all_pids(ready: dict[str, Any]) -> list[int]:
    return [ready["authority"]["pid"], *(relay["pid"] for relay in ready["relays"])]


class NetworkTest(unittest.TestCase):
    """One network for all of it, run as a program; and two tors that use it."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="tornet-check-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.program = Program("--relays", str(RELAYS))
        self.addCleanup(self.program.clean_up)
        line = self.program.line()
        self.assertTrue(line, "it ended: see what it said")
        self.ready = json.loads(line)

    def tor(self, name: str, *lines: str) -> TorProcess:
        """A tor of the network that has bootstrapped."""
        torrc = Path(self.ready["torrc"]).read_text().splitlines()
        node = TorProcess(self.folder, name, [*torrc, *lines])
        self.addCleanup(node.kill)
        node.start()
        node.connect()
        wait_until(lambda: "PROGRESS=100" in node.info("status/bootstrap-phase"), LIMIT_S,
                   lambda: node.failure(node.info("status/bootstrap-phase")))
        return node

    def echo(self, connection: socket.socket) -> None:
        """Sends a megabyte, and the same comes back."""
        data = secrets.token_bytes(MEGABYTE)
        sender = threading.Thread(target=connection.sendall, args=(data,), daemon=True)
        sender.start()
        self.assertTrue(receive(connection, MEGABYTE) == data, "it came back otherwise")
        sender.join()

    def dial_until_connected(self, proxy: Path, host: str) -> socket.socket:
        """Dials again until it is let in, as an app does after an outage."""
        until = time.monotonic() + RECOVERY_S
        connection = None
        while connection is None:
            self.assertLess(time.monotonic(), until, "it can not be reached")
            try:
                _, connection = dial(proxy, host, 80)
            except TimeoutError:
                pass  # begun when the network was gone
        return connection

    def test_a_life_of_a_network(self) -> None:
        pids, relays = all_pids(self.ready), self.ready["relays"]
        self.assertEqual(len(relays), RELAYS)
        self.assertEqual(len(set(pids)), RELAYS + 1)
        self.assertEqual(os.stat(self.ready["folder"]).st_mode & 0o777, 0o700)

        target = self.folder / "echo"
        echo = Echo(target)
        self.addCleanup(echo.close)
        service = self.tor("service", "SocksPort 0")
        proxy = self.folder / "client" / "socks"
        client = self.tor("client", f"SocksPort unix:{proxy} IsolateSOCKSAuth ExtendedErrors")
        assert service.control is not None
        right, wrong = secrets.token_bytes(32), secrets.token_bytes(32)
        address = add_onion(service.control, 80, target, x25519_public(right))
        host = f"{address}.onion"

        def use_key(key: bytes) -> None:
            client.ask(f"ONION_CLIENT_AUTH_ADD {address} "
                       f"x25519:{base64.b64encode(key).decode()}")

        self.assertEqual(dial(proxy, host, 80)[0], NO_AUTHORISATION)
        use_key(wrong)
        self.assertEqual(dial(proxy, host, 80)[0], WRONG_AUTHORISATION)
        use_key(right)
        with self.dial_until_connected(proxy, host) as connection:
            self.echo(connection)
            # Gone and back: what was open goes on.
            self.assertEqual(self.program.ask("stop"), "done")
            for pid in pids:
                self.assertIn("T (stopped)", Path(f"/proc/{pid}/status").read_text())
            self.assertTrue(self.program.ask("start 0").startswith("error: "))
            connection.sendall(b"late")
            self.assertEqual(select.select([connection], [], [], 0)[0], [])
            self.assertEqual(self.program.ask("continue"), "done")
            self.assertEqual(receive(connection, 4), b"late")

        self.assertEqual(self.program.ask("kill 1"), "done")
        self.assertTrue(gone(relays[1]["pid"]))
        self.assertFalse(any(gone(pid) for pid in pids if pid != relays[1]["pid"]))
        with self.dial_until_connected(proxy, host) as connection:
            self.echo(connection)
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", relays[1]["orport"]))
            taken.listen()
            self.assertRegex(self.program.ask("start 1"), "^error: relay1: .* is taken")
        self.assertEqual(self.program.ask("start 1"), "done")
        again = Control(Path(relays[1]["control"]),
                        Path(relays[1]["control"]).with_name("control_auth_cookie"))
        self.assertEqual(again.info("fingerprint"), relays[1]["fingerprint"])
        pids.append(int(again.info("process/pid")))
        again.close()
        for command in ("", "kill", "kill 9", "kill -1", "kill x", "start 1", "begin", "stop 1"):
            self.assertRegex(self.program.ask(command), "^error: .", command)

        said = self.program.end()
        self.assertEqual(self.program.process.returncode, 0, said)
        self.assertIn(f"{RELAYS + 1} of {RELAYS + 1} descriptors", said)
        for pid in pids:
            self.assertTrue(gone(pid))
        self.assertFalse(os.path.exists(self.ready["folder"]))


class EndTest(unittest.TestCase):
    """How it ends in other ways; none of these waits for a consensus."""

    def setUp(self) -> None:
        parent = tempfile.TemporaryDirectory(prefix="tornet-check-")
        self.addCleanup(parent.cleanup)
        self.folder = Path(parent.name) / "net"

    def begin(self) -> tuple[Program, list[int]]:
        """A program whose nodes have just started."""
        program = Program("--folder", str(self.folder))
        self.addCleanup(program.clean_up)
        nodes = [self.folder / name for name in ("authority", "relay0", "relay1", "relay2")]
        wait_until(lambda: all((node / "control_auth_cookie").exists() for node in nodes), LIMIT_S,
                   lambda: "no control ports")
        pids = []
        for node in nodes:
            control = Control(node / "control", node / "control_auth_cookie")
            pids.append(int(control.info("process/pid")))
            control.close()
        return program, pids

    def test_a_killed_program_leaves_no_process(self) -> None:
        program, pids = self.begin()
        os.kill(pids[1], signal.SIGSTOP)  # it could not watch its owner
        program.kill()
        wait_until(lambda: all(gone(pid) for pid in pids), LIMIT_S, lambda: "a node lives on")

    def test_a_signal_in_the_middle_of_the_start_leaves_nothing(self) -> None:
        program, pids = self.begin()
        program.process.terminate()
        program.end()
        self.assertEqual(program.process.returncode, 0)
        self.assertTrue(all(gone(pid) for pid in pids))
        self.assertFalse(self.folder.exists())

    def test_a_node_that_exits_ends_it_with_the_log_of_that_node(self) -> None:
        program, pids = self.begin()
        os.kill(pids[2], signal.SIGKILL)
        said = program.end()
        self.assertEqual(program.process.returncode, 1)
        self.assertRegex(said, r"relay1: it exited with -9\n  .*\[notice\]")
        self.assertTrue(all(gone(pid) for pid in pids))
        self.assertFalse(self.folder.exists())

    def test_what_is_refused_at_once(self) -> None:
        self.folder.mkdir()
        (self.folder / "mine").touch()
        free, long = str(self.folder / "free"), str(self.folder / ("x" * 100))
        for reason, options in (("is not empty", {"folder": str(self.folder)}),
                                ("too long", {"folder": long}),
                                ("3 to 50", {"folder": free, "relays": 2}),
                                ("nowhere", {"folder": free, "namespace": "nowhere"})):
            with self.assertRaisesRegex(TorError, reason):
                TorNet(**options).start()
        self.assertEqual(list(self.folder.rglob("*")), [self.folder / "mine"])


if __name__ == "__main__":
    try:
        for name in ("tor", "tor-gencert"):
            find_program(name)
    except TorMissing as missing:
        print(f"skipped: {missing}", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
