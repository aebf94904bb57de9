"""One tor process that is ours, and its control port.

A process ends with the thread that started it (PR_SET_PDEATHSIG), and so with a program that is
killed. Control protocol: spec.torproject.org/control-spec.
"""

import os
import re
import shutil
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

ANSWER_S = 20  # no answer of a control port takes so long, not even on a busy machine
POLL_S = 0.02
END_S = 1
LOG_LINES = 8  # of a process that failed, in the message
SOCKET_PATH_BYTES_MAX = 107  # sun_path, without its zero


class TorError(Exception):
    """What went wrong, for a person to read."""


class TorMissing(TorError):
    """A program that is needed is not there."""


class ControlError(TorError):
    """Tor refused a command."""


class ControlLost(ControlError):
    """The connection to the control port is gone, or nothing comes from it."""


def find_program(name: str, package: str = "tor") -> str:
    path = shutil.which(name)
    if path is None:
        raise TorMissing(f"there is no {name}: install the package {package}")
    return path


def wait_until(condition: Callable[[], bool], limit_s: float, what: Callable[[], str]) -> None:
    """Asks again and again; after `limit_s` it fails with the words of `what`."""
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            raise TorError(what())
        time.sleep(POLL_S)


def info_of(ask: Callable[[str], list[str]], key: str) -> str:
    try:
        return ask(f"GETINFO {key}")[0].removeprefix(f"{key}=")
    except ControlError as error:
        if re.match(r"GETINFO: 55[12] ", str(error)):
            return ""
        raise


class Control:
    """A connection to a control port. Events that come between answers are kept for `event`."""

    def __init__(self, path: Path, cookie: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(ANSWER_S)
            self._socket.connect(str(path))
            self._file = self._socket.makefile("rb")
            self._events: deque[str] = deque()
            self.ask(f"AUTHENTICATE {cookie.read_bytes().hex()}")
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def ask(self, command: str) -> list[str]:
        """Sends a command. The lines of its answer, without their codes."""
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.sendall(command.encode() + b"\r\n")
            while True:
                code, lines = self._read()
                if code != "650":
                    break
                self._events.append("\n".join(lines))
        except OSError as error:
            raise ControlLost(f"{command.split()[0]}: {error}") from error
        if not code.startswith("2"):
            raise ControlError(f"{command.split()[0]}: {code} {lines[-1]}")
        return lines

    def info(self, key: str) -> str:
        """GETINFO of one key; empty if tor does not know it, or not yet."""
        return info_of(self.ask, key)

    def event(self, limit_s: float) -> str:
        """The next event that SETEVENTS asked for. After a time-out only close() is left."""
        if not self._events:
            self._socket.settimeout(limit_s)
            try:
                self._events.append("\n".join(self._read()[1]))
            except OSError as error:
                raise ControlLost(f"no event: {error}") from error
        return self._events.popleft()

    def _line(self) -> str:
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise ControlLost("tor closed the control connection")
        return line.decode(errors="replace").rstrip("\r\n")

    def _read(self) -> tuple[str, list[str]]:
        """One answer or event: its code, and its lines; data follow theirs after a line break."""
        lines = []
        while True:
            line = self._line()
            code, mark, text = line[:3], line[3:4], line[4:]
            if mark == "+":
                while (data := self._line()) != ".":
                    text += "\n" + data.removeprefix(".")
            lines.append(text)
            if mark == " ":
                return code, lines


class TorProcess:
    """A tor with a folder of its own below `folder`; it may be killed and started again."""

    def __init__(self, folder: Path, name: str, lines: Sequence[str],
                 before: Sequence[str] = ()) -> None:
        """`lines` are its torrc; `before` is a command that runs it in another place."""
        self.name = name
        self.data = folder / name
        self.control_path = self.data / "control"
        self.log_path = self.data / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.control: Control | None = None
        if len(os.fsencode(self.control_path)) > SOCKET_PATH_BYTES_MAX:
            raise TorError(f"the path {folder} is too long for a unix socket: name a shorter one")
        self.data.mkdir(mode=0o700, exist_ok=True)
        torrc = self.data / "torrc"
        torrc.write_text("\n".join([
            *lines, f"DataDirectory {self.data}", f"ControlSocket {self.control_path}",
            "CookieAuthentication 1", "Log notice stdout", ""]))
        defaults = self.data / "defaults"  # the system's would join in, were no others named
        defaults.touch()
        self._command = [find_program("setpriv", "util-linux"), "--pdeathsig", "KILL",
                         *before, find_program("tor"), "--defaults-torrc", str(defaults),
                         "-f", str(torrc),
                         "__OwningControllerProcess", str(os.getpid())]

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Starts it, and does not wait: see `connect`."""
        for old in (self.control_path, self._cookie()):  # of its life before
            old.unlink(missing_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True)

    def connect(self, limit_s: float = ANSWER_S) -> Control:
        """Waits until its control port answers."""
        def answers() -> bool:
            self.check()
            if not (self.control_path.exists() and self._cookie().exists()):
                return False
            try:
                self.control = Control(self.control_path, self._cookie())
            except (ConnectionRefusedError, ControlLost):  # not listening yet, or about to end
                return False
            return True

        wait_until(answers, limit_s, lambda: self.failure("its control port does not answer"))
        assert self.control is not None
        return self.control

    def ask(self, command: str) -> list[str]:
        """As Control.ask. If the process has ended, the failure says so."""
        if self.control is None:
            raise TorError(f"{self.name} does not run")
        try:
            return self.control.ask(command)
        except ControlLost:
            self._wait_for_end()
            self.check()
            raise

    def info(self, key: str) -> str:
        """As Control.info."""
        return info_of(self.ask, key)

    def check(self) -> None:
        """Fails if it has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise TorError(self.failure(f"it exited with {self.process.returncode}"))

    def failure(self, what: str) -> str:
        """A message with the end of its log."""
        lines = self.log_path.read_text(errors="replace").splitlines() if self.process else []
        for line in lines[-LOG_LINES:]:
            if taken := re.search(r"Could not bind to (\S+): Address already in use", line):
                what = f"{taken.group(1)} is taken by another program"
        return "\n  ".join([f"{self.name}: {what}", *lines[-LOG_LINES:]])

    def kill(self) -> None:
        """Ends it at once, stopped or not."""
        if self.control is not None:
            self.control.close()
            self.control = None
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait_for_end(self) -> None:
        """A process that ends closes its connections a moment before."""
        assert self.process is not None
        try:
            self.process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            pass

    def _cookie(self) -> Path:
        return self.data / "control_auth_cookie"
