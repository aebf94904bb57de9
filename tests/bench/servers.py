"""The servers that benchmarks talk to: each in a folder of its own, on loopback, ended by its pid."""

import json
import os
import re
import selectors
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

READY_S = 20
TORNET_S = 200  # of its own, it gives up before


class ServerFailed(RuntimeError):
    """A server did not start, or ended by itself."""


class NotHere(RuntimeError):
    """What is to be measured can not be on this machine."""


class Server:
    """A process in `folder`, which is there and empty. Use it in a `with` statement."""

    name = "server"

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, command, **more):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                command, stderr=log, **{"stdin": subprocess.DEVNULL, "stdout": log, **more})

    def stop(self):
        if not self.process:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()
        self.process = None

    def fail(self, what):
        path = os.path.join(self.folder, "log")
        last = ""
        if os.path.exists(path):
            with open(path, errors="replace") as log:
                last = "".join(log.readlines()[-5:])
        raise ServerFailed(f"{self.name}: {what}\n{last}".rstrip())

    def wait_for_port(self, port):
        """Until the server accepts connections."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.fail(f"ended with {self.process.returncode}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.02)
        self.fail(f"did not listen within {READY_S} s")


class Relay(Server):
    """wherry-relay, with limits that a flood from one address does not reach."""

    name = "wherry-relay"

    def __init__(self, folder, program, fast_sync=False):
        super().__init__(folder)
        self.program = program
        self.fast_sync = fast_sync
        self.address = ""

    def start(self):
        command = [self.program, "--data", os.path.join(self.folder, "data"),
                   "--listen", "127.0.0.1:0", "--inbox-envelopes", "1000000",
                   "--rate", "10000000", "--log-level", "warn"]
        self.run(command + (["--fast-sync"] if self.fast_sync else []), stdout=subprocess.PIPE)
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            line = self.process.stdout.readline() if waiting.select(READY_S) else b""
        found = re.search(rb"wr1:\S+", line)
        if not found:
            self.fail("printed no address")
        self.address = found.group().decode()


class Namespace:
    """A network of its own, with a loopback that acknowledges at once. Needs root.

    Tor never sets TCP_NODELAY: elsewhere each of its hops waits for the acknowledgements of the
    one before, and all that is measured is their 40 ms.
    """

    def __init__(self):
        self.name = f"wherry-bench-{os.getpid()}"

    def __enter__(self):
        try:
            self._run("ip", "netns", "add", self.name)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or str(error)
            raise NotHere(f"no network namespace can be made here: {said.strip()}") from error
        try:
            self._run(*self.inside(["ip", "link", "set", "lo", "up"]))
            self._run(*self.inside(["ip", "route", "change", "local", "127.0.0.1", "dev", "lo",
                                    "table", "local", "quickack", "1"]))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._run("ip", "netns", "delete", self.name)

    def add_lan(self):
        """An interface that carries multicast. What this machine says there it hears itself."""
        self._run(*self.inside(["ip", "link", "add", "lan", "type", "veth", "peer", "name", "far"]))
        self._run(*self.inside(["ip", "address", "add", "192.168.77.1/24", "dev", "lan"]))
        self._run(*self.inside(["ip", "link", "set", "far", "addrgenmode", "none", "up"]))
        self._run(*self.inside(["ip", "link", "set", "lan", "up"]))

    def inside(self, command):
        # Not `ip netns exec`: it changes how the root is mounted, which fails in a chroot.
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    @staticmethod
    def _run(*command):
        subprocess.run(command, check=True, capture_output=True, text=True)


class TorNetwork(Server):
    """A private Tor network, by the tests' program."""

    name = "tornet"

    def __init__(self, folder, namespace):
        super().__init__(folder)
        self.namespace = namespace

    def start(self):
        if find_program("tor") is None:
            raise NotHere("there is no tor: install the package tor")
        program = os.path.join(os.path.dirname(__file__), "..", "integration", "tornet",
                               "tornet.py")
        self.run([sys.executable, "-B", program, "--namespace", self.namespace.name],
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            ready = self.process.stdout.readline() if selector.select(TORNET_S) else b""
        if not ready:
            self.fail("is not ready")
        self.torrc = json.loads(ready)["torrc"]


def free_port():
    """A port that the kernel chose and nobody listens at now: for servers that can not ask it."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


def find_program(name):
    """Debian puts servers where a user's PATH does not look."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def make_certificate(folder, name):
    """A key and a certificate of its own for `name`: their paths."""
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ssl.create_default_context(cafile=certificate)  # fails here rather than in a client
    return key, certificate


class Mosquitto(Server):
    """Mosquitto over TLS, persistent as Debian configures it. Its queues are opened wide."""

    name = "mosquitto"

    def start(self):
        key, self.certificate = make_certificate(self.folder, "localhost")
        self.port = free_port()
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        config = os.path.join(self.folder, "mosquitto.conf")
        lines = [f"listener {self.port} 127.0.0.1", f"certfile {self.certificate}",
                 f"keyfile {key}", "allow_anonymous true", "persistence true",
                 f"persistence_location {data}/", "max_queued_messages 0",
                 "max_inflight_messages 1000", "log_type error", "log_type warning",
                 "log_dest stderr", "set_tcp_nodelay true"]
        if os.geteuid() == 0:
            lines.append("user root")
        with open(config, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.run([find_program("mosquitto"), "-c", config])
        self.wait_for_port(self.port)


class Prosody(Server):
    """Prosody over TLS, with two accounts, and with an archive of all messages if asked."""

    name = "prosody"
    password = "only for this run"

    def __init__(self, folder, archive):
        super().__init__(folder)
        self.archive = archive

    def start(self):
        key, certificate = make_certificate(self.folder, "localhost")
        self.port = free_port()
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        modules = ["roster", "saslauth", "tls", "disco", "smacks"]
        modules += ["mam"] if self.archive else []
        config = os.path.join(self.folder, "prosody.cfg.lua")
        with open(config, "w") as file:
            file.write(f"""
run_as_root = true
daemonize = false
pidfile = "{self.folder}/pid"
data_path = "{data}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {self.port} }}
modules_enabled = {{ {", ".join(f'"{name}"' for name in modules)} }}
modules_disabled = {{ "s2s", "limits", "offline" }}
authentication = "internal_hashed"
storage = "internal"
default_archive_policy = true
c2s_require_encryption = true
log = {{ {{ levels = {{ min = "warn" }}, to = "console" }} }}
VirtualHost "localhost"
    ssl = {{ key = "{key}", certificate = "{certificate}" }}
""")
        for user in ("alice", "bob"):
            subprocess.run([find_program("prosodyctl"), "--config", config, "register", user,
                            "localhost", self.password],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run([find_program("prosody"), "--config", config, "-F"])
        self.wait_for_port(self.port)
