#!/usr/bin/env python3
"""What `wherry` says when it can not go on: what is wrong, and what to do about it.

Where a test can, it follows the advice, and looks whether that helps.
"""

import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import unittest
from pathlib import Path

from cli_support import (CliTest, ENVIRONMENT, LIMIT_S, NOT_YET, OK, PROGRAM, RELAY, USAGE,
                         first_line)

# The address of an onion service that nobody has.
KEY = b"\x58" + b"\x66" * 31
CHECK = hashlib.sha3_256(b".onion checksum" + KEY + b"\3").digest()[:2]
ONION = base64.b32encode(KEY + CHECK + b"\3").decode().lower()


# A tor as far as its control port is concerned, that gets no further than 45 %.
SLOW_TOR = f"""#!{sys.executable}
import re, socket, sys
with open(sys.argv[2]) as torrc:  # -f TORRC
    place = re.search('ControlSocket "(.*)"', torrc.read())[1]
answers = dict(PROTOCOLINFO='250-AUTH METHODS=NULL',
               socks='250-net/listeners/socks="unix:/not/there"',
               phase='250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=45 TAG=slow '
                     'SUMMARY="Loading relay descriptors"')
with socket.socket(socket.AF_UNIX) as door:
    door.bind(place)
    door.listen()
    control = door.accept()[0]
    for line in control.makefile():
        told = [answers[word] for word in answers if word in line]
        control.sendall("".join(text + "\\r\\n" for text in [*told, "250 OK"]).encode())
"""


class AdviceTest(CliTest):
    def told(self, who, command, *rest, code=OK, **how):
        """All that a command prints, on both outputs, to somebody who knows no C."""
        done = subprocess.run(self.arguments(who, command, *rest), text=True, timeout=LIMIT_S,
                              capture_output=True, env=self.environment(), **how)
        told = done.stdout + done.stderr
        self.assertEqual(done.returncode, code, told)
        self.assertNotIn("wherry_", told)
        return told

    def start_relay(self, *options):
        """A relay of this test's own, with the same data each time; the process and its address."""
        process = subprocess.Popen([RELAY, "--data", str(self.folder / "relay"), *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(self.end, process)
        return process, first_line(process, r"(wr1:\S+)")

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=LIMIT_S)

    def connect(self, endpoint):
        """Alice and Bob have written to each other; each has the other as contact 1."""
        for who in ("alice", "bob"):
            self.wherry(who, "init", "--relay", endpoint)
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.wherry("bob", "send", "Alice", "hello")
        self.wherry("alice", "listen", "--accept", "--count", "1", "--timeout", "30")
        self.wherry("alice", "send", "1", "hello yourself")
        self.wherry("bob", "listen", "--count", "1", "--timeout", "30")

    def test_a_conversation_whose_only_network_is_forbidden(self):
        self.connect(self.endpoint)
        for who in ("alice", "bob"):
            self.wherry(who, "transports add", "p2p", "listen=127.0.0.1:0", "allow=127.0.0.0/8")
        listener = self.start("alice", "listen")
        self.addCleanup(listener.terminate)
        self.wherry("bob", "route", "Alice", "p2p")
        while "sending: p2p" not in self.wherry("bob", "route", "Alice"):
            self.wherry("bob", "send", "Alice", "on the way", "--wait", "delivered")
        told = [self.told("bob", "permits", "Alice", "--set", "no-peer-ip"),
                self.told("bob", "send", "Alice", "waits", "--timeout", "1", code=NOT_YET),
                self.told("bob", "route", "Alice"), self.told("bob", "explain", "Alice")]
        for text in told:
            self.assertIn("wherry permits 1 --set open", text)
            self.assertIn("That shows your address to other-person\n", text)
            self.assertIn("To go by centralized instead", text)
            self.assertIn("wherry route 1 auto", text)
        self.wherry("bob", "permits", "Alice", "--set", "open")
        self.wherry("bob", "route", "Alice", "auto")
        self.wherry("bob", "send", "Alice", "all is well", "--wait", "delivered")
        told = self.told("bob", "permits", "Alice", "--set", "no-peer-ip")
        self.assertIn("telling Alice where else you are", told)
        self.assertNotIn("no way", told)
        self.wherry("bob", "send", "Alice", "by the relay", "--wait", "delivered")
        self.assertIn("sending: centralized", self.wherry("bob", "route", "Alice"))

    def test_doctor_tells_what_is_wrong(self):
        self.wherry("alice", "init", "--relay", self.endpoint)
        told = self.told("alice", "doctor")
        self.assertIn("ok  centralized is online", told)
        self.assertNotIn("!!", told)
        self.wherry("alice", "transports stop", "centralized")
        told = self.told("alice", "doctor", code=ENVIRONMENT)
        self.assertIn("!!  centralized is stopped\n    wherry transports start centralized", told)
        self.wherry("alice", "transports start", "centralized")
        self.wherry("alice", "transports add", "onion", "tor=/not/there/tor",
                    f"folder={self.folder}/tor")
        told = self.told("alice", "doctor", code=ENVIRONMENT)
        self.assertIn("ok  centralized is online", told)
        self.assertIn("onion is degraded: The program tor is not there", told)
        self.assertIn("wherry transports set onion tor=", told)

    def test_doctor_knows_a_proxy_that_is_not_there(self):
        self.wherry("alice", "init", "--relay", self.endpoint)
        self.wherry("alice", "transports set", "centralized", "proxy=127.0.0.1:9")
        told = self.told("alice", "doctor", code=ENVIRONMENT)
        self.assertRegex(told, "!!  centralized is degraded: The proxy refused .*\n"
                               "    Start the program that listens there .* wherry transports set "
                               "centralized proxy=HOST:PORT\n")

    def test_doctor_knows_a_tor_that_has_ended(self):
        if shutil.which("tor") is None:
            self.skipTest("NO TOR TO END")
        torrc = self.folder / "torrc"
        torrc.write_text("ThereIsNoSuchOption 1\n")
        self.wherry("alice", "init")
        self.wherry("alice", "transports add", "onion", f"torrc={torrc}",
                    f"folder={self.folder}/tor")
        self.assertRegex(self.told("alice", "doctor", code=ENVIRONMENT),
                         "!!  onion is degraded: .*tor has ended: .*ThereIsNoSuchOption.*\n"
                         "    Look at what tor complains of; .*transports describe onion\n")

    def test_a_control_port_where_nothing_listens(self):
        self.wherry("alice", "init")
        self.wherry("alice", "transports add", "onion", "control=127.0.0.1:9")
        self.assertRegex(self.told("alice", "doctor", code=ENVIRONMENT),
                         "!!  onion is degraded: .*\n    Does that tor run, with this ControlPort?")

    def test_people_behind_routers(self):
        self.connect(self.endpoint)
        with socket.create_server(("127.0.0.1", 0)) as one, \
                socket.create_server(("127.0.0.1", 0)) as other:
            ports = [min(place.getsockname()[1], 65000) for place in (one, other)]
        for who, port in zip(("alice", "bob"), ports):
            self.wherry(who, "transports add", "p2p", "listen=", f"meet=127.0.0.1:{port}",
                        "allow=127.0.0.0/8")
        listener = self.start("alice", "listen")
        self.wherry("bob", "route", "Alice", "p2p")
        while all(path["name"] != "p2p" for path in self.wherry_json("bob", "explain", "Alice")[0]):
            self.wherry("bob", "send", "Alice", "on the way", "--wait", "delivered")
        listener.terminate()
        listener.wait(timeout=LIMIT_S)
        said = "Alice is behind a router: p2p gets through only while both of you run wherry"
        self.assertIn(f"--  {said}", self.told("bob", "doctor"))
        self.wherry("bob", "transports stop", "centralized")
        self.assertIn(said, self.told("bob", "send", "Alice", "waits", "--timeout", "1",
                                      code=NOT_YET))

    def test_a_relay_that_comes_back_at_another_address(self):
        relay, old = self.start_relay("--listen", "127.0.0.1:0")
        self.connect(old)
        self.stop(relay)
        relay, new = self.start_relay("--listen", "127.0.0.1:0")
        for who in ("alice", "bob"):
            self.wherry(who, "transports set", "centralized", f"relay={new}")
            told = [self.told(who, "send", "1", "waits", "--timeout", "1", code=NOT_YET),
                    self.told(who, "route", "1"), self.told(who, "explain", "1")]
            for text in told:
                self.assertIn(f"is known at another relay than yours: {old}", text)
                self.assertIn(f"wherry transports set centralized relay={old}", text)
                self.assertIn("Without a proxy that shows your address to home-operator\n", text)
                self.assertIn("reached at that address again", text)
        self.stop(relay)
        self.start_relay("--listen", old.split(":", 1)[1].split("/")[0])
        for who in ("alice", "bob"):
            self.wherry(who, "transports set", "centralized", f"relay={old}")
        self.wherry("bob", "send", "Alice", "and on")
        self.assertIn("and on", self.wherry("alice", "listen", "--count", "2", "--timeout", "30"))

    def test_who_is_hidden_is_told_what_would_show_their_address(self):
        self.connect(self.endpoint)
        self.wherry("bob", "permits", "--set", "no-operator-ip")
        # No tor is needed: port 9 on loopback, where nothing listens.
        self.wherry("bob", "transports set", "centralized", f"relay=wr1:{ONION}",
                    "proxy=127.0.0.1:9")
        told = self.told("bob", "explain", "Alice")
        self.assertIn(f"set centralized relay={self.endpoint}\nWithout a proxy that shows your "
                      "address to home-operator\n", told)
        self.wherry("bob", "permits", "--set", "open")
        self.wherry("bob", "transports set", "centralized", f"relay={self.endpoint}", "proxy=")
        self.wherry("bob", "transports stop", "centralized")
        self.assertIn("start centralized\nThat shows your address to home-operator\n",
                      self.told("bob", "route", "Alice"))

    def test_how_far_a_tor_is_that_the_first_relay_needs(self):
        tor = self.folder / "tor"
        tor.write_text(SLOW_TOR)
        tor.chmod(0o700)
        done = subprocess.run(
            self.arguments("alice", "init", "--relay", f"wr1:{ONION}", "--timeout", "2"), text=True,
            capture_output=True, timeout=LIMIT_S,
            env=self.environment() | {"PATH": f"{self.folder}:{os.environ['PATH']}"})
        self.assertEqual(done.returncode, NOT_YET, done.stderr)
        self.assertRegex(done.stderr, r"starting, \d+ %: Loading relay descriptors\n")
        self.assertIn("not online yet (starting)", done.stderr)

    def test_a_relay_that_moved_before_the_first_message(self):
        relay, old = self.start_relay("--listen", "127.0.0.1:0")
        for who in ("alice", "bob"):
            self.wherry(who, "init", "--relay", old)
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.stop(relay)
        relay, new = self.start_relay("--listen", "127.0.0.1:0")
        for who in ("alice", "bob"):
            self.wherry(who, "transports set", "centralized", f"relay={new}")
        self.assertIn("ask them for a new card: wherry add CARD",
                      self.told("bob", "send", "Alice", "waits", "--timeout", "1", code=NOT_YET))
        self.wherry("bob", "add", self.wherry("alice", "card").strip())
        self.wherry("bob", "send", "Alice", "and on")

    def test_a_port_that_is_taken(self):
        self.wherry("alice", "init")
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            for text in (self.told("alice", "transports add", "p2p", f"listen={address}"),
                         self.told("alice", "transports"),
                         self.told("alice", "listen", "--timeout", "1")):
                self.assertIn(f"can not listen at the address of the settings. ({address}: Address "
                              "already in use)", text)
            told = self.told("alice", "transports start", "p2p")
            self.assertIn("`wherry listen` goes on trying; `wherry doctor` says how", told)
            self.assertNotIn("tried again", told)
            self.assertIn("wherry transports set p2p listen=", self.told("alice", "doctor",
                                                                         code=ENVIRONMENT))

    def move_to_p2p(self):
        """Bob has moved to p2p and is there alone; Alice, who listened for that, is away."""
        self.connect(self.endpoint)
        for who in ("alice", "bob"):
            self.wherry(who, "transports add", "p2p", "listen=127.0.0.1:0", "allow=127.0.0.0/8")
        listener = self.start("alice", "listen")
        self.wherry("bob", "route", "Alice", "p2p")
        while "sending: p2p" not in self.wherry("bob", "route", "Alice"):
            self.wherry("bob", "send", "Alice", "on the way", "--wait", "delivered")
        listener.terminate()
        listener.wait(timeout=LIMIT_S)

    def test_p2p_whose_port_is_taken_or_whose_other_end_is_away(self):
        self.move_to_p2p()
        self.wherry("bob", "transports stop", "centralized")
        told = self.told("bob", "send", "Alice", "waits", "--timeout", "3", code=NOT_YET)
        self.assertIn("Alice has to run wherry too", told)
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = f"listen=127.0.0.1:{other.getsockname()[1]}"
            self.wherry("bob", "transports set", "p2p", taken)
            for text in (self.told("bob", "route", "Alice"),
                         self.told("bob", "send", "Alice", "waits", "--timeout", "1",
                                   code=NOT_YET)):
                self.assertIn("The port is taken by another program", text)
                self.assertIn("wherry transports set p2p listen=ADDRESS:PORT", text)
                self.assertNotIn("transports start p2p", text)

    def test_a_route_by_a_network_that_only_one_has(self):
        self.connect(self.endpoint)
        self.wherry("bob", "transports add", "p2p", "listen=127.0.0.1:0", "allow=127.0.0.0/8")
        for text in (self.told("bob", "route", "Alice", "p2p"), self.told("bob", "route", "Alice")):
            self.assertIn("(elsewhere)", text)
            self.assertIn("Alice is not on p2p", text)
            self.assertIn("wherry transports add p2p", text)
            self.assertIn("wherry route 1 auto", text)
        told = self.told("bob", "route", "Alice", "p2p")
        self.assertIn("wherry route 1 p2p,centralized", told)
        self.assertIn("wherry add CARD", told)
        self.assertNotIn("you lose each other", self.told("bob", "route", "Alice", "auto"))

    def test_a_route_that_the_other_one_does_not_permit(self):
        self.move_to_p2p()
        listener = self.start("bob", "listen")
        while "sending: p2p" not in self.wherry("alice", "route", "1"):
            self.wherry("alice", "send", "1", "on the way", "--wait", "delivered")
        self.told("alice", "permits", "1", "--set", "no-peer-ip")
        told = self.told("alice", "route", "1")
        self.assertIn("nothing more is needed here. If their route is fixed: `wherry route "
                      "... auto` on the side of", told)
        self.assertNotIn("permit it again; then", told)
        listener.terminate()
        listener.wait(timeout=LIMIT_S)
        told = self.told("bob", "route", "Alice")
        self.assertIn("Alice does not permit", told)
        self.assertIn("wherry route 1 auto", told)
        self.wherry("bob", "route", "Alice", "auto")
        listener = self.start("alice", "listen")
        self.wherry("bob", "send", "Alice", "all is well", "--wait", "delivered")
        listener.terminate()
        listener.wait(timeout=LIMIT_S)
        self.assertNotIn("does not permit what", self.told("bob", "route", "Alice"))
        self.wherry("alice", "send", "1", "and well here")

    def test_a_setting_that_there_is_not(self):
        self.wherry("alice", "init")
        told = self.told("alice", "transports add", "centralized", f"relay={self.endpoint}",
                         "colour=red", code=USAGE)
        self.assertIn("there is no setting 'colour'; those that there are: relay, ", told)

    def test_the_network_of_a_card(self):
        self.wherry("alice", "init")
        self.wherry("alice", "transports add", "p2p", "listen=127.0.0.1:0")
        for words in ((), ("--transport", "p2p")):
            told = self.told("alice", "card", *words, code=USAGE)
            self.assertIn("wherry transports add centralized relay=", told)
        self.wherry("alice", "transports add", "centralized", f"relay={self.endpoint}")
        told = self.told("alice", "card")
        self.assertIn("leads to you by centralized", told)
        self.assertRegex(told, "(?m)^wherry:")


class WordsTest(CliTest):
    def test_a_command_that_there_is_not(self):
        for words in (("frobnicate",), ("frobnicate", "Alice", "--json")):
            done = subprocess.run([PROGRAM, *words], capture_output=True, text=True,
                                  timeout=LIMIT_S, env=self.environment())
            self.assertEqual(done.returncode, USAGE)
            self.assertIn("'frobnicate'", done.stderr)
            self.assertIn("wherry --help", done.stderr)

    def test_a_contact_after_an_option_of_permits(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        for words in (("--set", "no-peer-ip", "Alice"), ("--forbid", "network:timing", "Alice"),
                      ("--set", "open", "--forbid", "network:timing", "--forbid", "proxy:use",
                       "Alice")):
            self.assertIn("With Alice", self.wherry("bob", "permits", *words))
        self.assertIn("to home-operator: everything", self.wherry("bob", "permits"))

    def test_an_init_that_is_refused_makes_nothing(self):
        for words in (("--relay", "nonsense"), ("--relay", self.endpoint, "--proxy", "nonsense")):
            told = self.wherry("alice", "init", *words, code=USAGE, passphrase=None)
            self.assertIn("'nonsense'", told)
            self.assertFalse((self.folder / "alice").exists())
        self.wherry("alice", "init", "--relay", self.endpoint)

    def test_a_folder_that_is_there_already(self):
        place = self.folder / "alice"
        place.mkdir(mode=0o755)
        (place / "diary.txt").write_text("dear diary")
        self.assertIn("name a new one", self.wherry("alice", "init", code=ENVIRONMENT))
        self.assertEqual([path.name for path in place.iterdir()], ["diary.txt"])
        self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o755)
        (place / "diary.txt").unlink()
        self.wherry("alice", "init")
        self.assertEqual(stat.S_IMODE(place.stat().st_mode), 0o700)
        place.chmod(0o755)
        self.assertIn("a profile here already", self.wherry("alice", "init", code=USAGE))

    def copy_program(self):
        """A copy that anybody can run, wherever it was built: with all its libraries, in a folder."""
        folder = self.folder / "program"
        folder.mkdir()
        folder.chmod(0o755)
        needed = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True, check=True).stdout
        for path in (PROGRAM, *re.findall(r" => (/\S+)", needed)):
            Path(shutil.copy(path, folder)).chmod(0o755)
        return folder / os.path.basename(PROGRAM), folder

    def test_a_profile_that_can_not_be_read(self):
        self.wherry("alice", "init")
        program, libraries = self.copy_program()
        user = None
        if os.geteuid() == 0:  # who may read everything: somebody else tries
            self.folder.chmod(0o755)
            user = 65534
        else:
            (self.folder / "alice").chmod(0o000)
            self.addCleanup((self.folder / "alice").chmod, 0o700)
        done = subprocess.run([program, *self.arguments("alice", "contacts")[1:]], text=True,
                              capture_output=True, timeout=LIMIT_S, user=user,
                              env={**self.environment(), "LD_LIBRARY_PATH": str(libraries)})
        self.assertEqual(done.returncode, ENVIRONMENT, done.stderr)
        self.assertIn("no permission to read", done.stderr)

    def test_a_disk_that_is_full(self):
        place = self.folder / "disk"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("NO SMALL DISK TO FILL")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(place)], check=True)
        self.wherry("disk/alice", "init")
        with self.assertRaises(OSError), open(place / "ballast", "wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        told = self.wherry("disk/alice", "permits", "--set", "no-peer-ip", code=ENVIRONMENT)
        self.assertIn("the disk is full", told)


if __name__ == "__main__":
    unittest.main()
