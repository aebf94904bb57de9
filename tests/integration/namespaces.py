"""Network namespaces that a test makes, and what is sent out of one of them.

Needs root, `ip` and `nsenter`. Not `ip netns exec` and `ip -n`: they change how the root is mounted,
which fails in a chroot, where it need not be a mount point.
"""

import ctypes
import errno
import os
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

CLONE_NEWNET = 0x40000000
OUTSIDE = "outside"  # the one interface of a home
RESOLV_CONF = "/etc/resolv.conf"

# What runs the command behind it so that nobody else sees what it mounts: with a copy of the root,
# which can be made private wherever the root itself is. The copy is where nobody sees mounts either:
# /run/netns is a mount point, `ip netns add` has made it one.
OWN_MOUNTS = [
    "unshare", "--mount", "--propagation", "unchanged", "sh", "-ec",
    "mount --make-private /run/netns; mount -t tmpfs tmpfs /run/netns; mkdir /run/netns/root; "
    "mount --rbind / /run/netns/root; mount --make-rprivate /run/netns/root; "
    'exec chroot /run/netns/root "$@"', "sh"]

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
PACKET_OUTGOING = 4
SOL_PACKET, PACKET_STATISTICS = 263, 6
HEADERS_BYTES = 128  # of a packet: what is looked at
ROOM_BYTES = 1 << 23  # of packets that wait to be looked at
LOOK_S = 0.1

TCP, UDP, HOP_BY_HOP, ICMPV6 = 6, 17, 0, 58
PROTOCOLS = {1: "icmp", 2: "igmp", TCP: "tcp", UDP: "udp", ICMPV6: "icmpv6"}
# Multicast listeners (RFC 2710, 3810) and neighbours (RFC 4861): the kernel's own, on the link.
LINKS_OWN = {130, 131, 132, 133, 134, 135, 136, 137, 143}


def reason_against():
    """Why this machine does not let a test make namespaces; empty: it does."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    for program, package in (("ip", "iproute2"), ("nft", "nftables"), ("nsenter", "util-linux"),
                             ("mount", "mount")):
        if shutil.which(program) is None:
            return f"there is no {program}: install the package {package}"
    name = f"wherry-probe-{os.getpid()}"
    try:
        ip("netns", "add", name)
        try:
            run(*at(name), "ip", "link", "set", "lo", "up")
            run(*at(name), *OWN_MOUNTS, "mount", "--bind", RESOLV_CONF, RESOLV_CONF)
        finally:
            ip("netns", "delete", name)
    except OSError as error:
        return str(error)
    return ""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


def ip(*words):
    run("ip", *words)


def at(name):
    """What runs the command behind it in a namespace."""
    return ["nsenter", f"--net=/run/netns/{name}"]


@contextmanager
def inside(name):
    """What this thread opens meanwhile is in the namespace, and stays there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(descriptor):
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    with open("/proc/thread-self/ns/net") as before, open(f"/run/netns/{name}") as there:
        enter(there.fileno())
        try:
            yield
        finally:
            enter(before.fileno())


class Homes:
    """A namespace with `middle_addresses`, and homes whose only way out leads to it.

    It forwards nothing: what is sent elsewhere gets no further, and is seen (Capture).
    """

    def __init__(self, middle_addresses, count):
        self._prefix = f"wherry-test-{os.getpid()}-"
        self.middle = self._prefix + "middle"
        self.homes = [f"{self._prefix}{number}" for number in range(1, count + 1)]
        try:
            self._make(middle_addresses)
        except BaseException:
            self.delete()
            raise

    @staticmethod
    def address(number):
        """Of a home, counted from 1."""
        return f"10.113.{number}.2"

    def delete(self):
        for name in (self.middle, *self.homes):
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)

    def cut(self, number):
        """The way out of a home is gone, and with it every connection, as after hours."""
        home = self.homes[number - 1]
        run(*at(home), "ip", "link", "set", OUTSIDE, "down")
        self._end_connections(number)

    def swallow(self, number):
        """Whatever a home sends vanishes, which nobody there is told; and no connection is left."""
        rule = f"ip saddr 10.113.{number}.0/24 drop"
        run(*at(self.middle), "nft", "add table inet swallow; add chain inet swallow came "
            f"{{ type filter hook input priority 0; }}; add rule inet swallow came {rule}")
        self._end_connections(number)

    def let_through(self):
        run(*at(self.middle), "nft", "delete table inet swallow")

    def _end_connections(self, number):
        run(*at(self.homes[number - 1]), "ss", "--kill", "--tcp")

    def join(self, number):
        run(*at(self.homes[number - 1]), "ip", "link", "set", OUTSIDE, "up")
        self._lead_out(number)

    def _lead_out(self, number):
        home = self.homes[number - 1]
        run(*at(home), "ip", "route", "add", "default", "via", f"10.113.{number}.1")
        if socket.has_ipv6:
            run(*at(home), "ip", "-6", "route", "add", "default", "via", f"fd00:113:{number}::1")

    def _make(self, middle_addresses):
        for name in (self.middle, *self.homes):
            ip("netns", "add", name)
            run(*at(name), "ip", "link", "set", "lo", "up")
        for address in middle_addresses:
            run(*at(self.middle), "ip", "address", "add", f"{address}/32", "dev", "lo")
        for number, home in enumerate(self.homes, 1):
            ip("link", "add", OUTSIDE, "netns", home, "type", "veth",
               "peer", "name", f"to-{number}", "netns", self.middle)
            for name, device, end in ((self.middle, f"to-{number}", 1), (home, OUTSIDE, 2)):
                run(*at(name), "ip", "address", "add", f"10.113.{number}.{end}/30", "dev", device)
                if socket.has_ipv6:
                    with inside(name):
                        Path(f"/proc/sys/net/ipv6/conf/{device}/keep_addr_on_down").write_text("1")
                    run(*at(name), "ip", "address", "add", f"fd00:113:{number}::{end}/64",
                       "dev", device, "nodad")
                run(*at(name), "ip", "link", "set", device, "up")
            self._lead_out(number)


@dataclass(frozen=True)
class Sent:
    """Where a packet goes, and what it is."""
    address: str
    port: int  # 0: it has none
    protocol: str

    def __str__(self):
        return f"{self.protocol} to {self.address} port {self.port}"


def sent_by(kind, packet):
    """What an outgoing packet is; None: how a link keeps itself up, which goes no further."""
    if kind == ETH_P_ARP:
        return None
    if kind == ETH_P_IP:
        protocol, rest = packet[9], packet[(packet[0] & 15) * 4:]
        first = (packet[6] & 0x1F) == 0 and packet[7] == 0  # of the fragments
        return _sent(packet[16:20], protocol, rest if first else b"")
    if kind == ETH_P_IPV6:
        protocol, rest = packet[6], packet[40:]
        if protocol == HOP_BY_HOP:
            protocol, rest = rest[0], rest[(rest[1] + 1) * 8:]
        if protocol == ICMPV6 and rest[0] in LINKS_OWN:
            return None
        return _sent(packet[24:40], protocol, rest)
    return Sent("", 0, f"ethernet {kind:#06x}")


def _sent(address, protocol, rest):
    port = int.from_bytes(rest[2:4], "big") if protocol in (TCP, UDP) else 0
    return Sent(str(ip_address(address)), port, PROTOCOLS.get(protocol, f"protocol {protocol}"))


class Capture:
    """Every packet that a home sends, from now on, on a thread of its own."""

    def __init__(self, home):
        with inside(home):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                         socket.htons(ETH_P_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, ROOM_BYTES)  # SO_RCVBUFFORCE
        self._socket.bind((OUTSIDE, ETH_P_ALL))
        self._socket.settimeout(LOOK_S)
        self._counts = {}
        self._lock = threading.Lock()
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self):
        """Fails if a packet was missed."""
        self._stop = True
        self._thread.join()
        statistics = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self._socket.close()
        missed = int.from_bytes(statistics[4:8], "little")
        if missed:
            raise OSError(f"{missed} packets were not looked at")

    def sent(self):
        """How many packets went where so far."""
        with self._lock:
            return dict(self._counts)

    def forget(self):
        with self._lock:
            self._counts.clear()

    def _run(self):
        while not self._stop:
            try:
                packet, (_, kind, direction, *_) = self._socket.recvfrom(HEADERS_BYTES)
            except TimeoutError:
                continue
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # it is told once, when the link goes down
                    raise
                continue
            if direction != PACKET_OUTGOING:
                continue
            if (one := sent_by(kind, packet)) is None:
                continue
            with self._lock:
                self._counts[one] = self._counts.get(one, 0) + 1
