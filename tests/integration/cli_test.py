#!/usr/bin/env python3
"""The `wherry` program: people talk by its commands; mistakes get their own words and exit codes."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import unittest

from cli_support import (CliTest, ENVIRONMENT, LIMIT_S, NOT_YET, OK, PASSPHRASE, PEER, PROGRAM,
                         USAGE, first_line)

COMMANDS = ("init", "card", "add", "accept", "contacts", "send", "listen", "history", "transports",
            "transports list", "transports add", "transports set", "transports start",
            "transports stop", "transports describe", "permits", "explain", "route")


class TalkTest(CliTest):
    def connect(self):
        """Alice and Bob; Bob holds Alice's card and has written, Alice has accepted."""
        self.init("alice", "bob")
        card = self.wherry("alice", "card").strip()
        self.wherry("bob", "add", card, "--name", "Alice")
        self.wherry("bob", "send", "Alice", "hello", "there")
        heard = self.wherry("alice", "listen", "--accept", "--count", "1", "--timeout", "30")
        self.assertIn("hello there", heard)

    def test_messages_both_ways_with_nobody_online_at_once(self):
        self.connect()
        contact = self.wherry_json("alice", "contacts")[0][0]["contact"]
        self.wherry("alice", "accept", contact, "--name", "Bob")
        self.wherry("alice", "send", "Bob", "hello yourself")
        heard = self.wherry("bob", "listen", "--count", "1", "--timeout", "30")
        self.assertRegex(heard, r"\d\d:\d\d:\d\d  Alice: hello yourself\n")
        history = self.wherry("bob", "history", "Alice")
        self.assertRegex(history, r"(?s)me: hello there.*Alice: hello yourself")

    def test_listening_for_no_time_shows_what_has_come(self):
        self.connect()
        self.wherry("alice", "send", "1", "hello yourself")
        listener = self.start("bob", "listen", "--json")
        shown = self.line_with(listener, "hello yourself")
        listener.kill()
        listener.wait()
        # Killed at an unknown moment: it may have been acknowledged.
        again = self.wherry("bob", "listen", "--json", "--timeout", "0")
        self.assertEqual([line for line in again.splitlines() if "hello yourself" in line],
                         [shown.strip()] if "hello yourself" in again else [])
        self.wherry("bob", "listen", "--count", "1", "--timeout", "0", code=NOT_YET)

    def test_a_message_is_shown_once(self):
        self.connect()
        again = self.wherry("alice", "listen", "--count", "1", "--timeout", "1", code=NOT_YET)
        self.assertNotIn("hello there", again)

    def test_what_nobody_acknowledged_is_shown_again(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.wherry("bob", "send", "Alice", "hello")
        self.wherry("alice", "send", "nobody", "x", code=USAGE)
        listener = self.start("alice", "listen", "--accept", "--json")
        shown = json.loads(self.line_with(listener, '"hello"'))
        listener.kill()
        listener.wait()
        # Killed at an unknown moment: shown again with the same seq, or acknowledged already.
        again = self.wherry("alice", "listen", "--json", "--timeout", "2")
        for line in again.splitlines():
            event = json.loads(line)
            if event["type"] == shown["type"]:
                self.assertEqual(event["seq"], shown["seq"])

    def line_with(self, process, text):
        for line in process.stdout:
            if text in line:
                return line
        raise AssertionError(f"it ended without {text}")

    def test_a_person_who_is_not_accepted_is_announced(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.wherry("bob", "send", "Alice", "hello")
        listener = self.start("alice", "listen")
        contact = re.search(r"wherry accept (\d+)", self.line_with(listener, "asks")).group(1)
        listener.send_signal(signal.SIGTERM)
        self.assertEqual(listener.wait(timeout=LIMIT_S), OK)
        self.assertIn("Accepted Bob", self.wherry("alice", "accept", contact, "--name", "Bob"))

    def test_delivery_that_does_not_come_in_time_is_not_an_error_of_the_message(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        told = self.wherry("bob", "send", "Alice", "hello", "--wait", "delivered", "--timeout",
                           "1", code=NOT_YET)
        self.assertIn("safe on disk", told)
        self.assertIn("hello", self.wherry("bob", "history", "Alice"))

    def test_delivered_means_that_the_other_side_has_it(self):
        self.connect()
        listener = self.start("alice", "listen")
        told = self.wherry("bob", "send", "Alice", "are you there?", "--wait", "delivered")
        self.assertIn("delivered", told)
        self.assertIn("are you there?", self.line_with(listener, "are you"))
        listener.send_signal(signal.SIGINT)
        self.assertEqual(listener.wait(timeout=LIMIT_S), OK)

    def test_what_is_not_permitted_waits_and_is_explained(self):
        self.connect()
        self.assertIn("to home-operator: everything", self.wherry("bob", "permits"))
        done = subprocess.run(self.arguments("bob", "permits", "Alice", "--forbid",
                                             "home-operator:my-ip"),
                              capture_output=True, text=True, timeout=LIMIT_S,
                              env=self.environment())
        self.assertIn("no way to Alice is left", done.stderr)
        shown = done.stdout
        self.assertRegex(shown, r"You permit here:\n(.*\n)*?  to home-operator: use, other-ip")
        told = self.wherry("bob", "send", "Alice", "secret", "--timeout", "2", code=NOT_YET)
        self.assertIn("permitted", told)
        why = self.wherry("bob", "explain", "Alice")
        self.assertIn("centralized  not allowed", why)
        self.assertIn("you do not permit: my-ip to home-operator\n", why)
        path = self.wherry_json("bob", "explain", "Alice")[0][0]
        self.assertEqual((path["allowed"], path["used"], path["against_mine"][1]), (0, 0, 2))
        self.wherry("bob", "permits", "Alice", "--set", "open")
        listener = self.start("alice", "listen")
        told = self.wherry("bob", "send", "Alice", "for you", "--wait", "delivered")
        self.assertIn("secret", self.line_with(listener, "secret"))

    def test_a_profile_that_forbids_its_relay_stays_offline(self):
        self.connect()
        done = subprocess.run(self.arguments("bob", "permits", "--set", "no-operator-ip"),
                              capture_output=True, text=True, timeout=LIMIT_S,
                              env=self.environment())
        self.assertIn("to home-operator: use, other-ip", done.stdout)
        self.assertIn("centralized stays offline", done.stderr)
        self.assertIn("no way to Alice is left; messages wait", done.stderr)
        self.assertIn("wherry permits --set open", done.stderr)
        told = self.wherry("bob", "transports start", "centralized", code=USAGE)
        self.assertIn("more than the profile permits", told)
        for words, code in ((("transports start", "centralized"), USAGE), (("card",), ENVIRONMENT),
                            (("doctor",), ENVIRONMENT)):
            self.assertIn("to permit everything again: wherry permits --set open",
                          self.wherry("bob", *words, code=code))
        self.wherry("bob", "permits", "--set", "nothing", code=USAGE)
        self.wherry("bob", "permits", "--forbid", "network", code=USAGE)
        self.wherry("bob", "permits", "--forbid", "unknown:unknown", code=USAGE)
        # To forbid one thing more permits nothing else again.
        shown = self.wherry("bob", "permits", "--forbid", "network:timing")
        self.assertIn("to home-operator: use, other-ip", shown)
        self.assertNotRegex(shown, "to network: .*timing")
        self.wherry("bob", "permits", "--set", "open,no-peer-ip")
        self.assertEqual(self.wherry_json("bob", "permits")[0]["permits"][0], 2**32 - 1 - 2)
        self.wherry("bob", "transports start", "centralized")

    def test_what_the_profile_does_not_permit_is_shown_as_forbidden_by_it(self):
        self.connect()
        self.wherry("bob", "transports add", "p2p", "listen=127.0.0.1:0")
        self.wherry("bob", "permits", "--set", "no-peer-ip")
        for command in ("explain", "route"):
            shown = self.wherry("bob", command, "Alice")
            self.assertRegex(shown, r"(?m)^  (p2p  not allowed|not allowed: p2p)")
            self.assertIn("the profile does not permit what being online there reveals", shown)
            self.assertNotRegex(shown, r"centralized  not allowed|not allowed: centralized")
        self.assertIn("What the profile permits: wherry permits",
                      self.wherry("bob", "doctor", code=ENVIRONMENT))
        told = self.wherry("bob", "route", "Alice", "p2p")
        self.assertRegex(told, r"receiving: centralized  \(opening\)  No path stays within")
        self.wherry("bob", "permits", "--set", "no-operator-ip")
        for command in ("explain", "route"):
            shown = self.wherry("bob", command, "Alice")
            self.assertRegex(shown, r"(?m)^  (centralized  not allowed|not allowed: centralized)")
            self.assertIn("the profile does not permit: my-ip to home-operator\n", shown)
        self.wherry("alice", "permits", "--set", "no-peer-ip")
        told = self.wherry("alice", "transports add", "p2p", "listen=127.0.0.1:0", code=USAGE)
        self.assertIn("What the profile permits: wherry permits", told)

    def test_the_route_of_a_conversation(self):
        self.connect()
        shown = self.wherry("bob", "route", "Alice")
        way = r"centralized(  \(probing\))?\n"  # its endpoint may not have been proven yet
        self.assertRegex(shown, rf"(?s)route is auto\n.*sending: {way}.*receiving: {way}")
        self.assertIn("route is centralized", self.wherry("bob", "route", "Alice", "centralized"))
        self.wherry("bob", "route", "Alice", "carrier-pigeon", code=USAGE)
        self.wherry("bob", "route", "Alice", "centralized,centralized", code=USAGE)
        self.assertEqual(self.wherry_json("bob", "route", "Alice")[0][0]["route"], "centralized")
        self.wherry("bob", "route", "Alice", "auto")
        told = self.wherry("bob", "route", "--help")
        for word in ("(opening)", "(announced)", "(probing)", "(quiet)", "(elsewhere)"):
            self.assertIn(word, told)

    def test_text_from_others_can_not_drive_the_terminal(self):
        self.init("alice", "bob")
        card = self.wherry("alice", "card").strip()
        self.wherry("bob", "add", "-", "--name", "Al\u202eice\x1b[2J", stdin=card + "\n")
        self.wherry("bob", "send", "1", "-", stdin="\x1b]0;pwned\x07 \u202eevil\r\ntwo\tlines\n")
        heard = self.wherry("alice", "listen", "--accept", "--count", "1", "--timeout", "30")
        self.assertIn("two lines", heard)
        for text in (heard, self.wherry("bob", "contacts"), self.wherry("bob", "history", "1")):
            self.assertNotRegex(text, "[\x00-\x09\x0b-\x1f\x7f\u202e]")

    def test_everything_as_json(self):
        self.init("bob")
        made = self.wherry_json("alice", "init", "--relay", self.endpoint)[0]
        self.assertEqual(sorted(made), ["identity", "profile", "transport"])
        card = self.wherry_json("alice", "card")[0]["card"]
        self.assertLessEqual(len(card), 360)
        added = self.wherry_json("bob", "add", card, "--name", "Alice")[0]
        contacts = self.wherry_json("bob", "contacts")[0]
        self.assertEqual(contacts[0]["contact"], added["contact"])
        self.assertEqual(contacts[0]["identity"], made["identity"])
        sent = self.wherry_json("bob", "send", "Alice", "hello")[0]
        self.assertIn(sent["evidence"], ("stored", "delivered"))
        events = self.wherry_json("alice", "listen", "--accept", "--count", "1", "--timeout", "30")
        self.assertIn("hello", [event.get("text") for event in events])
        history = self.wherry_json("bob", "history", "Alice")[0]
        self.assertEqual(history[0]["message"], sent["message"])
        listed = self.wherry_json("bob", "transports")[0]
        self.assertEqual(listed[0]["name"], "centralized")
        described = self.wherry_json("bob", "transports describe", "centralized")[0]
        self.assertIn("relay", [setting["name"] for setting in described["settings"]])


class MistakeTest(CliTest):
    def failure(self, who, command, *rest, code, passphrase=PASSPHRASE):
        told = self.wherry(who, command, "--json", *rest, code=code, passphrase=passphrase)
        return json.loads(told.splitlines()[-1])["error"]

    def test_help_of_every_command_has_examples(self):
        for command in COMMANDS:
            told = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True,
                                  text=True, timeout=LIMIT_S)
            self.assertEqual(told.returncode, OK, command)
            for word in ("--profile", "--json", "Examples:", f"wherry {command.split()[0]}"):
                self.assertIn(word, told.stdout, command)

    def test_wrong_words_are_refused(self):
        for words in ((), ("nonsense",), ("send",), ("card", "--valid", "0"),
                      ("send", "Alice", "x", "--wait", "forever")):
            told = subprocess.run([PROGRAM, *words], capture_output=True, text=True,
                                  timeout=LIMIT_S, env=self.environment())
            self.assertEqual(told.returncode, USAGE, words)
            self.assertTrue(told.stderr, words)

    def test_no_profile(self):
        told = self.failure("nobody", "contacts", code=ENVIRONMENT)
        self.assertEqual(told["name"], "WHERRY_E_NO_PROFILE")
        self.assertIn(str(self.folder / "nobody"), told["text"])
        self.assertIn("wherry init", told["text"])

    def test_names_that_commands_would_take_for_something_else(self):
        self.init("alice", "bob")
        card = self.wherry("alice", "card").strip()
        for name in ("", " ", "2", "-x", "~12345678"):
            self.wherry("bob", "add", card, f"--name={name}", code=USAGE)
        self.assertEqual(self.wherry_json("bob", "contacts"), [[]])

    def test_a_known_contact_is_not_renamed_in_silence(self):
        self.init("alice", "bob")
        card = self.wherry("alice", "card").strip()
        self.assertIn("Added Alice", self.wherry("bob", "add", card, "--name", "Alice"))
        self.assertIn("Known already: Alice", self.wherry("bob", "add", card))
        self.assertIn("Known already as Alice, and now called Ally",
                      self.wherry("bob", "add", card, "--name", "Ally"))

    def test_output_that_can_not_be_written(self):
        self.init("alice")
        for command in ("card", "contacts", "transports", "permits"):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run(self.arguments("alice", command), stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=LIMIT_S,
                                      env=self.environment())
            self.assertEqual(done.returncode, ENVIRONMENT, command)
            self.assertIn("can not be written", done.stderr, command)

    def test_a_message_that_nobody_is_told_of(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        for word, redirection, told in (("once", ">&-", "nothing was done"),
                                        ("twice", ">/dev/full", "is safe on disk and is not to be "
                                                                "sent again")):
            done = subprocess.run(
                ["sh", "-c", f'"$@" {redirection}', "sh",
                 *self.arguments("bob", "send", "Alice", word, "--wait", "none")],
                stderr=subprocess.PIPE, text=True, timeout=LIMIT_S, env=self.environment())
            self.assertEqual(done.returncode, ENVIRONMENT, done.stderr)
            self.assertIn("can not be written to", done.stderr)
            self.assertIn(told, done.stderr)
        history = self.wherry("bob", "history", "Alice")
        self.assertIn("twice", history)
        self.assertNotIn("once", history)

    def test_the_places_of_closed_files_are_kept(self):
        self.init("alice")
        done = subprocess.run(["sh", "-c", '"$@" <&- 2>&-', "sh",
                               *self.arguments("alice", "transports", "--json")],
                              stdout=subprocess.PIPE, text=True, timeout=LIMIT_S,
                              env=self.environment())
        self.assertEqual(done.returncode, OK)
        self.assertEqual(json.loads(done.stdout)[0]["name"], "centralized")

    def test_words_that_an_unset_variable_left_empty(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip())
        self.assertIn("the route is empty", self.wherry("bob", "route", "1", "", code=USAGE))
        for words in (("route", ""), ("send", "", "x"), ("permits", "", "--set", "anonymous")):
            self.assertIn("number or name is empty", self.wherry("bob", *words, code=USAGE))
        self.assertIn("to home-operator: everything", self.wherry("bob", "permits"))

    def test_commands_that_would_change_nothing(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.assertIn("NAME=VALUE is missing",
                      self.wherry("bob", "transports set", "centralized", code=USAGE))
        for words in ((), ("Alice",)):
            self.assertIn("--now goes with", self.wherry("bob", "permits", *words, "--now",
                                                         code=USAGE))

    def test_networks_of_a_route_that_there_are_not(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.assertIn("no network 'foo': it has centralized, p2p",
                      self.wherry("bob", "route", "Alice", "foo", code=USAGE))
        self.assertIn("you are not on p2p: wherry transports add p2p",
                      self.wherry("bob", "route", "Alice", "p2p", code=USAGE))

    def test_texts_that_can_not_be_sent(self):
        self.init("alice", "bob")
        self.wherry("bob", "add", self.wherry("alice", "card").strip(), "--name", "Alice")
        self.assertIn("empty", self.wherry("bob", "send", "Alice", "", code=USAGE))
        self.assertIn("empty", self.wherry("bob", "send", "Alice", "-", code=USAGE))
        told = self.wherry("bob", "send", "Alice", "-", stdin="x" * 32769, code=USAGE)
        self.assertIn("at most 32768", told)
        self.assertEqual(self.wherry("bob", "history", "Alice"), "")

    def test_looking_at_the_disk_uses_no_network(self):
        pin = self.endpoint.split("/", 1)[1]
        with socket.create_server(("127.0.0.1", 0)) as relay:
            relay.settimeout(0.5)

            def knocked():
                found = False
                while True:
                    try:
                        relay.accept()[0].close()
                        found = True
                    except TimeoutError:
                        return found

            address = f"wr1:127.0.0.1:{relay.getsockname()[1]}/{pin}"
            self.wherry("alice", "init", "--relay", address, "--timeout", "1", code=NOT_YET)
            self.assertTrue(knocked())
            self.wherry("alice", "contacts")
            self.assertFalse(knocked())
            self.wherry("alice", "listen", "--timeout", "1")
            self.assertTrue(knocked())

    def test_a_second_init_changes_nothing(self):
        self.wherry("alice", "init")
        self.assertEqual(self.failure("alice", "init", code=USAGE)["name"], "WHERRY_E_EXISTS")
        self.assertEqual(self.wherry_json("alice", "contacts"), [[]])

    def test_the_profile_directory_by_the_environment(self):
        environment = self.environment()
        for extra, place in (({"WHERRY_PROFILE": str(self.folder / "named")}, "named"),
                             ({"XDG_DATA_HOME": str(self.folder / "data")}, "data/wherry"),
                             ({}, ".local/share/wherry")):
            told = subprocess.run([PROGRAM, "init"], capture_output=True, text=True,
                                  timeout=LIMIT_S, env=environment | extra)
            self.assertEqual(told.returncode, OK, told.stderr)
            self.assertTrue((self.folder / place).is_dir(), place)

    def test_the_passphrase(self):
        secret = self.folder / "passphrase.txt"
        secret.write_text("from a file\nsecond line\n")
        self.wherry("alice", "init", "--passphrase-file", str(secret), passphrase=None)
        self.wherry("alice", "contacts", passphrase="from a file")
        wrong = self.failure("alice", "contacts", code=ENVIRONMENT, passphrase="wrong")
        self.assertEqual(wrong["name"], "WHERRY_E_KEY")
        told = self.wherry("alice", "contacts", code=ENVIRONMENT, passphrase=None)
        self.assertIn("--passphrase-file", told)
        self.wherry("alice", "contacts", "--passphrase-file", str(self.folder / "none"),
                    code=ENVIRONMENT, passphrase=None)

    def test_the_passphrase_is_asked_for_without_echo(self):
        def at_terminal(*words):
            """Types lines at prompts; what the terminal showed, and the exit code."""
            child, terminal = pty.fork()
            if child == 0:
                os.execve(PROGRAM, self.arguments("alice", *words[:1]),
                          self.environment(passphrase=None))
            shown = b""
            try:
                for line in words[1:]:
                    asked = shown.count(b": ")
                    while shown.count(b": ") == asked or not shown.rstrip(b" ").endswith(b":"):
                        shown += os.read(terminal, 1)
                    os.write(terminal, line.encode() + b"\n")
                while True:
                    shown += os.read(terminal, 4096)
            except OSError:
                pass  # the terminal is gone with the program
            os.close(terminal)
            return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        shown, code = at_terminal("init", "geheim", "gehein")
        self.assertIn("differ", shown)
        self.assertEqual(code, ENVIRONMENT)
        shown, code = at_terminal("init", "geheim", "geheim")
        self.assertEqual(code, OK, shown)
        self.assertNotIn("geheim", shown)
        self.assertEqual(at_terminal("contacts", "geheim")[1], OK)
        self.assertEqual(at_terminal("contacts", "wrong")[1], ENVIRONMENT)

    def test_a_second_process_is_told_that_the_profile_is_in_use(self):
        self.init("alice")
        listener = self.start("alice", "listen", "--json")
        first_line(listener, r"(\{)")  # an event of the transport: it is open
        self.assertEqual(self.failure("alice", "contacts", code=ENVIRONMENT)["name"],
                         "WHERRY_E_LOCKED")

    def test_cards_that_are_no_good(self):
        self.init("alice", "bob")
        card = self.wherry("alice", "card").strip()
        middle = len(card) // 2
        changed = card[:middle] + ("A" if card[middle] != "A" else "B") + card[middle + 1:]
        for bad in ("nonsense", "wherry:", card[:-20], changed):
            self.assertIn(self.failure("bob", "add", bad, code=PEER)["name"],
                          ("WHERRY_E_CARD_MALFORMED", "WHERRY_E_CARD_FORGED"))
        self.assertEqual(self.failure("alice", "add", card, code=PEER)["name"],
                         "WHERRY_E_CARD_OWN")
        self.wherry("bob", "add", "-", stdin="\x00\x01", code=PEER)
        self.assertIn("no card", self.wherry("bob", "add", "-", code=PEER))
        self.assertEqual(self.wherry_json("bob", "contacts"), [[]])

    def test_no_transport_and_no_relay(self):
        self.wherry("alice", "init")
        self.assertIn("transports add", self.wherry("alice", "card", code=USAGE))
        bad = self.failure("alice", "transports add", "centralized", "relay=nonsense", code=USAGE)
        self.assertEqual(bad["name"], "WHERRY_E_SETTING")
        for words in (("centralized", "relay=wr1:relay.example/KEY"),
                      ("centralized", f"relay={self.endpoint}", "proxy=localhost"),
                      ("p2p", "listen=localhost:7000"), ("p2p", "listen=127.0.0.1:0", "allow=x"),
                      ("onion", "control=127.0.0.1"), ("onion", "control=192.0.2.1:9051")):
            setting = words[-1].partition("=")[0]
            told = self.wherry("alice", "transports add", *words, code=USAGE)
            self.assertRegex(told, f"setting '?{setting}'?:? ")
            self.assertNotIn("configured", told)
        self.assertEqual(self.wherry_json("alice", "transports"), [[]])
        self.assertEqual(self.failure("alice", "transports add", "carrier-pigeon", code=USAGE)
                         ["name"], "WHERRY_E_NOT_FOUND")
        self.assertIn("it has centralized, p2p",
                      self.wherry("alice", "transports add", "carrier-pigeon", code=USAGE))
        self.wherry("alice", "transports add", "centralized", "relay", code=USAGE)

    def test_a_relay_that_is_not_there(self):
        pin = self.endpoint.split("/", 1)[1]
        # Port 9 on loopback: nothing listens there in a test's world, and nothing is sent elsewhere.
        told = self.wherry("alice", "init", "--relay", f"wr1:127.0.0.1:9/{pin}", "--timeout", "1",
                           code=NOT_YET)
        self.assertIn("not online", told)
        self.assertEqual(len(self.wherry_json("alice", "transports")[0]), 1)

    def test_transports_are_stopped_started_and_changed(self):
        self.init("alice")
        self.wherry("alice", "transports stop", "centralized")
        self.assertIn("stopped", self.wherry("alice", "transports"))
        self.assertIn("start", self.wherry("alice", "card", code=USAGE))
        self.wherry("alice", "transports start", "1")
        self.wherry("alice", "transports set", "centralized", f"relay={self.endpoint}")
        self.assertTrue(self.wherry("alice", "card").startswith("wherry:"))
        described = self.wherry("alice", "transports describe", "centralized")
        self.assertRegex(described, r"(?s)Settings:\n  relay  .*Reveals at worst:\n  to .*my-ip")


class HelloTest(CliTest):
    def test_the_first_sample(self):
        hello = os.environ["WHERRY_HELLO"]

        def start(who, *rest):
            process = subprocess.Popen([hello, str(self.folder / who), self.endpoint, *rest],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.addCleanup(self.end, process)
            return process

        alice = start("alice")
        bob = start("bob", first_line(alice, r"card: (\S+)"))
        said, noted = bob.communicate(timeout=LIMIT_S)
        self.assertIn("waiting a minute for the answer", noted)
        self.assertEqual((said, bob.returncode), ("me:   hello\nthem: hello to you\n", OK))
        said, noted = alice.communicate(timeout=LIMIT_S)
        self.assertIn("waiting a minute for somebody", noted)
        self.assertEqual((said, alice.returncode), ("them: hello\nme:   hello to you\n", OK))


if __name__ == "__main__":
    unittest.main()
