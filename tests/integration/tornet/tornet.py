#!/usr/bin/env python3
"""A private Tor network on this machine, for tests: one directory authority, and relays.

When it is ready it prints one line of JSON: what a client's torrc needs, and who takes part. Then
it reads commands, one a line, and answers each with "done" or "error: why":

  kill N     kills relay N, counted from 0
  start N    starts it again, with the same keys and the same port
  stop       all nodes stop, as if the network were gone
  continue   all nodes go on

It ends when its input ends, or by SIGTERM, SIGINT or SIGHUP.
"""

import argparse
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True

from free_ports import free_ports  # noqa: E402
from tor_process import TorError, TorProcess, find_program, wait_until  # noqa: E402

STDIN = 0  # its descriptor: lines are taken apart here
RELAYS_MIN = 3  # with fewer no onion service can be reached
RELAYS_MAX = 50
NODES_S = 60  # until all nodes are up and known to the authority
CONSENSUS_S = 60
WATCH_S = 1.0  # how soon a node that ended by itself is noticed

# Descriptors of onion services last for 24 intervals, so a short one would expire them in a test.
VOTING_INTERVAL_S = 1800
VOTE_IN_S = 3  # the votes and their spreading take 2 s each at least; the past part is skipped


class TorNet:
    """The network. Nodes end with the thread that started them: one that lasts has to."""

    def __init__(self, relays: int = RELAYS_MIN, folder: str | None = None, keep: bool = False,
                 address: str = "127.0.0.1", namespace: str | None = None,
                 say: Callable[[str], None] = lambda text: None) -> None:
        """`folder` is new or empty, removed at the end unless `keep`; `say` tells of progress."""
        if not RELAYS_MIN <= relays <= RELAYS_MAX:
            raise TorError(f"{RELAYS_MIN} to {RELAYS_MAX} relays, not {relays}")
        self.address = address
        self.before = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
        self.relays: list[TorProcess] = []
        self.authority_orport = 0
        self.orports: list[int] = []
        self.fingerprints: list[str] = []
        self.authority: TorProcess | None = None
        self.frozen = False
        self._count, self._named, self._keep, self._say = relays, folder, keep, say
        self._folder: Path | None = None

    def start(self) -> dict[str, Any]:
        """Returns when a client can bootstrap and publish an onion service: what main prints."""
        try:
            self._make_folder()
            self._start_nodes()
            self._wait_for_descriptors()
            self._vote()
            self._spread()
        except BaseException:
            self.stop()
            raise
        return self.description()

    def stop(self) -> None:
        """Ends all nodes and removes the folder."""
        for node in self._nodes():
            node.kill()
        self.authority = None
        self.relays, self.orports, self.fingerprints = [], [], []
        self.frozen = False
        if self._folder is not None and not self._keep:
            shutil.rmtree(self._folder)
        self._folder = None

    def description(self) -> dict[str, Any]:
        assert self.authority is not None and self._folder is not None
        return {
            "torrc": str(self._folder / "client.torrc"),
            "folder": str(self._folder),
            "authority": {"pid": self.authority.pid, "orport": self.authority_orport,
                          "control": str(self.authority.control_path)},
            "relays": [{"nickname": node.name, "pid": node.pid if node.running() else None,
                        "orport": port, "fingerprint": fingerprint,
                        "control": str(node.control_path)}
                       for node, port, fingerprint
                       in zip(self.relays, self.orports, self.fingerprints)]}

    def kill_relay(self, number: int) -> None:
        self._relay(number).kill()

    def start_relay(self, number: int) -> None:
        """Returns when it takes part again."""
        node = self._relay(number)
        if node.running():
            raise TorError(f"{node.name} runs")
        if self.frozen:
            raise TorError("the network is stopped: continue it first")
        node.start()
        try:
            node.connect()
            wait_until(lambda: knows_network(node), CONSENSUS_S,
                       lambda: node.failure("it has no consensus"))
        except BaseException:
            node.kill()
            raise

    def freeze(self) -> None:
        """Stops all nodes: nothing answers, and connections stay."""
        for node in self._running():
            os.kill(node.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, node.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        self.frozen = True

    def thaw(self) -> None:
        for node in self._running():
            os.kill(node.pid, signal.SIGCONT)
        self.frozen = False

    def check(self) -> None:
        """Fails if a node has ended by itself."""
        for node in self._nodes():
            node.check()

    def _nodes(self) -> list[TorProcess]:
        return ([self.authority] if self.authority else []) + self.relays

    def _running(self) -> list[TorProcess]:
        return [node for node in self._nodes() if node.running()]

    def _relay(self, number: int) -> TorProcess:
        if not 0 <= number < len(self.relays):
            raise TorError(f"there is no relay {number}: 0 to {len(self.relays) - 1}")
        return self.relays[number]

    def _make_folder(self) -> None:
        if self._named is None:
            folder = Path(tempfile.mkdtemp(prefix="tornet-"))
        else:
            folder = Path(self._named).absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise TorError(f"{folder} is not empty")
            folder.chmod(0o700)
        self._folder = folder

    def _choose_ports(self, count: int) -> list[int]:
        if not self.before:
            return free_ports(self.address, count)
        program = Path(__file__).with_name("free_ports.py")
        return [int(port) for port in run(
            [*self.before, sys.executable, "-B", str(program), self.address, str(count)]).split()]

    def _start_nodes(self) -> None:
        assert self._folder is not None
        ports = self._choose_ports(self._count + 2)
        self.authority_orport, dir_port, *self.orports = ports
        self._say("making the keys of the authority")
        data = self._folder / "authority"
        identity, fingerprint = make_authority_keys(data, f"{self.address}:{self.authority_orport}")
        common = [
            "TestingTorNetwork 1",
            f"DirAuthority authority orport={self.authority_orport} no-v2 v3ident={identity}"
            f" {self.address}:{dir_port} {fingerprint}",
            "AvoidDiskWrites 1", "ShutdownWaitLength 0", "PathsNeededToBuildCircuits 0.25",
            "Schedulers Vanilla", "SafeLogging 0",
            "CountPrivateBandwidth 0"]  # its default in such a network sticks at 95 %
        client = [*common, "LearnCircuitBuildTimeout 0", "CircuitBuildTimeout 10", ""]
        (self._folder / "client.torrc").write_text("\n".join(client))
        relay = [*common, f"Address {self.address}", f"OutboundBindAddress {self.address}",
                 "SocksPort 0", "AssumeReachable 1", "ExitRelay 0", "ContactInfo none"]
        # The first vote is held when all are there: until then it is the longest time away.
        long_ago = (int(time.time()) - 10) % VOTING_INTERVAL_S
        self.authority = TorProcess(self._folder, "authority", [
            *relay, "Nickname authority", f"ORPort {self.address}:{self.authority_orport}",
            f"DirPort {self.address}:{dir_port}", "AuthoritativeDirectory 1",
            "V3AuthoritativeDirectory 1", f"V3AuthVotingInterval {VOTING_INTERVAL_S}",
            f"TestingV3AuthInitialVotingInterval {VOTING_INTERVAL_S}", "V3AuthVoteDelay 2",
            "V3AuthDistDelay 2", "TestingV3AuthInitialVoteDelay 2",
            "TestingV3AuthInitialDistDelay 2", "V3AuthNIntervalsValid 3",
            f"TestingV3AuthVotingStartOffset {long_ago}", "TestingDirAuthVoteGuard *",
            "TestingDirAuthVoteHSDir *"], self.before)
        self.relays = [
            TorProcess(self._folder, f"relay{number}", [
                *relay, f"Nickname relay{number}", f"ORPort {self.address}:{port}", "DirCache 1"],
                self.before)
            for number, port in enumerate(self.orports)]
        for node in self._nodes():
            node.start()
        for node in self._nodes():
            node.connect()

    def _wait_for(self, count: Callable[[], int], limit_s: float, what: str) -> None:
        """Waits until all nodes are counted, and tells of each."""
        told = -1

        def all_there() -> bool:
            nonlocal told
            self.check()
            number = count()
            if number != told:
                self._say(f"authority and {self._count} relays: "
                          f"{number} of {self._count + 1} {what}")
                told = number
            return number == self._count + 1

        assert self.authority is not None
        authority = self.authority
        wait_until(all_there, limit_s, lambda: authority.failure(
            f"{told} of {self._count + 1} {what} after {limit_s:.0f} s"))

    def _wait_for_descriptors(self) -> None:
        assert self.authority is not None
        authority = self.authority
        everyone = [node.info("fingerprint") for node in self._nodes()]
        self.fingerprints = everyone[1:]
        self._wait_for(lambda: sum(bool(authority.info(f"desc/id/{fingerprint}"))
                                   for fingerprint in everyone), NODES_S, "descriptors")

    def _vote(self) -> None:
        assert self.authority is not None
        authority = self.authority
        offset = (int(time.time()) + VOTE_IN_S) % VOTING_INTERVAL_S
        authority.ask(f"SETCONF TestingV3AuthVotingStartOffset={offset}")
        flags = re.compile(r"^s .*\bHSDir\b.*\bRunning\b", re.MULTILINE)
        self._wait_for(lambda: len(flags.findall(authority.info("ns/all"))), CONSENSUS_S,
                       "in the consensus")

    def _spread(self) -> None:
        for node in self.relays:
            node.ask("SIGNAL RELOAD")  # asks now, not when its next try is due
        self._wait_for(lambda: sum(knows_network(node) for node in self._nodes()), CONSENSUS_S,
                       "have the consensus")


def knows_network(node: TorProcess) -> bool:
    return bool(node.info("consensus/valid-after")) and node.info("status/enough-dir-info") == "1"


def run(command: list[str], text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=NODES_S)
    if done.returncode != 0:
        raise TorError(f"{' '.join(command[:4])}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def make_authority_keys(data: Path, or_address: str) -> tuple[str, str]:
    """The identity that signs the consensus, and the fingerprint of the authority as a relay."""
    keys = data / "keys"
    keys.mkdir(mode=0o700, parents=True)
    run([find_program("tor-gencert"), "--create-identity-key", "--passphrase-fd", "0", "-m", "12",
         "-i", str(keys / "authority_identity_key"), "-s", str(keys / "authority_signing_key"),
         "-c", str(keys / "authority_certificate")], "a passphrase of a key that is thrown away\n")
    torrc = data / "torrc"  # empty: the system's would be read, were none named
    torrc.touch()
    run([find_program("tor"), "--list-fingerprint", "--defaults-torrc", str(torrc),
         "-f", str(torrc), "--DataDirectory", str(data), "--ORPort", or_address,
         "--ExitRelay", "0", "--Nickname", "authority"])
    certificate = (keys / "authority_certificate").read_text()
    identity = re.search(r"^fingerprint (\w{40})$", certificate, re.MULTILINE)
    assert identity is not None
    return identity.group(1), (data / "fingerprint").read_text().split()[1]


def obey(net: TorNet, line: str) -> str:
    """The answer to a command."""
    plain = {"stop": net.freeze, "continue": net.thaw}
    numbered = {"kill": net.kill_relay, "start": net.start_relay}
    try:
        match line.split():
            case [word] if word in plain:
                plain[word]()
            case [word, number] if word in numbered and number.isdecimal():
                numbered[word](int(number))
            case _:
                return "error: kill N, start N, stop or continue"
    except TorError as error:
        return "error: " + " | ".join(str(error).splitlines())
    return "done"


def serve(net: TorNet) -> None:
    """Answers commands until the input ends. Fails if a node ends by itself."""
    given = b""
    while True:
        readable, _, _ = select.select([STDIN], [], [], WATCH_S)
        net.check()
        if not readable:
            continue
        piece = os.read(STDIN, 4096)
        if not piece:
            return
        *lines, given = (given + piece).split(b"\n")
        for line in lines:
            print(obey(net, line.decode(errors="replace")), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relays", type=int, default=RELAYS_MIN, metavar="N",
                        help=f"beside the authority; {RELAYS_MIN} if not given")
    parser.add_argument("--folder", help="new or empty; a temporary one if not given")
    parser.add_argument("--keep", action="store_true",
                        help="do not remove the folder at the end: the nodes' logs are in it")
    parser.add_argument("--address", default="127.0.0.1", help="where the nodes listen")
    parser.add_argument("--namespace", metavar="NAME",
                        help="a network namespace to run all nodes in, with its lo up; needs root")
    given = parser.parse_args()
    if sys.stdin is None:
        parser.error("its input is closed: it would end at once")

    def end(number: int, frame: object) -> None:
        sys.exit(0)  # by way of `finally`

    endings = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in endings:
        signal.signal(number, end)
    begun = time.monotonic()

    def say(text: str) -> None:
        print(f"tornet: {time.monotonic() - begun:4.1f} s: {text}", file=sys.stderr, flush=True)

    net = None
    try:
        net = TorNet(given.relays, given.folder, given.keep, given.address, given.namespace, say)
        ready = net.start()
        say("ready")
        print(json.dumps(ready), flush=True)
        serve(net)
    except (TorError, OSError) as error:
        print(f"tornet: {error}", file=sys.stderr)
        return 1
    finally:
        for number in endings:
            signal.signal(number, signal.SIG_IGN)  # a second one would leave something behind
        if net is not None:
            net.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
