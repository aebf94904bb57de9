#!/usr/bin/env python3
"""`wherry pipe`: the protocol, its errors, and events between answers."""

import json
import os
import queue
import resource
import socket
import subprocess
import threading
import time
import unittest

from cli_support import CliTest, LIMIT_S, PASSPHRASE, PROGRAM, PipeClient, USAGE, b64
from pipe_client import CallError

PARSE, INVALID, UNKNOWN, PARAMS = -32700, -32600, -32601, -32602
E_HANDLE, E_NOT_FOUND, E_CARD_MALFORMED, E_CARD_EXPIRED, E_KEY = 101, 106, 200, 202, 302
KEY = b64(PASSPHRASE.encode())


def request(method, number=1, **params):
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def answers(*lines):
    """Feeds lines to a pipe and its end; the objects that came back. It must end well.

    "\\udcff" in a line stands for the byte 0xff.
    """
    given = "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")
    done = subprocess.run([PROGRAM, "pipe"], input=given, capture_output=True, timeout=LIMIT_S)
    if done.returncode != 0:
        raise AssertionError(f"exit {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


class BadInputTest(unittest.TestCase):
    def code_of(self, line):
        """The error code for a line; the line after it must be answered as if nothing was."""
        bad, good = answers(line, request("version", 2))
        self.assertEqual(good["id"], 2)
        self.assertIn("value", good["result"])
        self.assertEqual(bad["jsonrpc"], "2.0")
        self.assertTrue(bad["error"]["message"])
        return bad["error"]["code"]

    def test_what_is_not_json(self):
        for line in ("nonsense", "{", '{"jsonrpc":"2.0",', "\udcff\udcfe", '"\udced\udca0\udc80"',
                     '{"jsonrpc":"2.0","id":1,"method":"\udcff"}', "[" * 100_000):
            self.assertEqual(self.code_of(line), PARSE, line[:20])

    def test_what_is_no_request(self):
        for line in ("[]", "1", '"x"', "null", "{}", '{"jsonrpc":"1.0","id":1,"method":"version"}',
                     '{"id":1,"method":"version"}', '{"jsonrpc":"2.0","id":1}',
                     '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":1,"method":7}',
                     '{"jsonrpc":"2.0","id":[1],"method":"version"}',
                     '{"jsonrpc":"2.0","id":1.5,"method":"version"}',
                     f"[{request('version')}]"):
            self.assertEqual(self.code_of(line), INVALID, line)

    def test_a_line_that_is_too_long(self):
        limit = 1 << 20
        fits = request("version")
        fits += " " * (limit - len(fits))
        self.assertIn("result", answers(fits)[0])
        self.assertEqual(self.code_of(fits + " "), INVALID)
        self.assertEqual(self.code_of("x" * (5 * limit)), INVALID)

    def test_methods_that_are_none(self):
        for method in ("", "nonsense", "wherry_version", "Version", "page_free", "event_json"):
            self.assertEqual(self.code_of(request(method)), UNKNOWN, method)
        for method, word in (("next_event", "notification"), ("wait_handle", "descriptor"),
                             ("page_free", "freed")):
            self.assertIn(word, answers(request(method))[0]["error"]["message"])

    def test_wrong_parameters(self):
        good = {"profile": "1", "conversation": "1", "content": 1, "body": ""}
        wrong = [{"profile": 1}, {"profile": "-1"}, {"profile": "1x"}, {"profile": ""},
                 {"profile": "18446744073709551616"}, {"profile": None}, {"content": "1"},
                 {"content": 1.5}, {"content": 2**31}, {"content": 2**64 - 1}, {"content": True},
                 {"body": 7}, {"body": "A"}, {"body": "AB=="}, {"body": "A=AA"}, {"body": "????"},
                 {"ref": "AAAA"}, {"ref": 1}, {"extra": 1}]
        for change in wrong:
            self.assertEqual(self.code_of(request("send", **{**good, **change})), PARAMS, change)
        self.assertEqual(self.code_of(request("send", **good)), E_HANDLE)
        self.assertEqual(self.code_of(request("card_parse", text="a\0b")), PARAMS)
        self.assertEqual(self.code_of(request("card_parse", text=None)), PARAMS)
        for settings in ("x", [1], [{}], [{"name": "a"}], [{"name": "a", "value": 1}],
                         [{"name": "a", "value": "b", "more": "c"}]):
            self.assertEqual(self.code_of(request("transport_add", profile="1", name="x",
                                                  settings=settings)), PARAMS, settings)
        for options in ("x", {"plugins": []}, {"durability": "0"}):
            self.assertEqual(self.code_of(request("profile_open", path="x", key=KEY, key_kind=1,
                                                  options=options)), PARAMS, options)
        positional = '{"jsonrpc":"2.0","id":1,"method":"status_text","params":[0]}'
        self.assertEqual(self.code_of(positional), PARAMS)

    def test_a_failed_call_tells_status_reason_and_text(self):
        error = answers(request("card_parse", text="nonsense"))[0]["error"]
        self.assertEqual(error["code"], E_CARD_MALFORMED)
        self.assertEqual(error["data"]["name"], "WHERRY_E_CARD_MALFORMED")
        self.assertEqual(sorted(error["data"]), ["name", "reason", "text"])

    def test_notifications_and_empty_lines_are_not_answered(self):
        quiet = '{"jsonrpc":"2.0","method":"version"}'
        self.assertEqual([a["id"] for a in answers(quiet, "", "  ", request("version", 9))], [9])

    def test_ids_come_back_as_they_were(self):
        for number in (0, -1, 2**53, "x", ""):
            self.assertEqual(answers(request("version", number))[0]["id"], number)

    def test_the_last_line_needs_no_line_break(self):
        def end_of(text):
            done = subprocess.run([PROGRAM, "pipe"], input=text, text=True, capture_output=True,
                                  timeout=LIMIT_S)
            self.assertEqual(done.returncode, 0, done.stderr)
            return [json.loads(line) for line in done.stdout.splitlines()]

        self.assertEqual(end_of(""), [])
        self.assertIn("value", end_of(request("version"))[0]["result"])
        self.assertEqual(end_of(request("version")[:-1])[0]["error"]["code"], PARSE)
        self.assertEqual(end_of("x" * (5 << 20))[0]["error"]["code"], INVALID)

    def test_a_reader_that_goes_away_ends_it(self):
        process = subprocess.Popen([PROGRAM, "pipe"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.close()
        process.stdin.write((request("version") + "\n").encode())
        process.stdin.flush()
        self.assertNotEqual(process.wait(timeout=LIMIT_S), -13)
        process.stdin.close()

    def test_methods_are_the_functions(self):
        listed = subprocess.run([PROGRAM, "pipe", "--methods"], capture_output=True, text=True,
                                timeout=LIMIT_S).stdout.splitlines()
        self.assertIn("contact_add(profile, card, name)", listed)
        listed = [line.split("(")[0] for line in listed]
        for method in ("version", "profile_create", "profile_open", "close", "identity", "send",
                       "submit", "sync", "history", "event_ack", "card_make"):
            self.assertIn(method, listed)
        self.assertNotIn("next_event", listed)


class PipeTest(CliTest):
    def create(self, client, who):
        return client.call("profile_create", path=str(self.folder / who), key=KEY,
                           key_kind=1)["profile"]

    def join(self, client, profile):
        """A transport of this profile that is online."""
        transport = client.call("transport_add", profile=profile, name="centralized", settings=[
            {"name": "relay", "value": self.endpoint}])["transport"]
        client.call("transport_start", profile=profile, transport=transport)
        self.event(client, lambda e: e["type"] == 6 and int(e["state"]) == 2)
        return transport

    def event(self, client, wanted):
        while True:
            try:
                _, event = client.events.get(timeout=LIMIT_S)
            except queue.Empty:
                self.fail("the event did not come")
            if wanted(event):
                return event

    def fails(self, code, client, method, **params):
        try:
            client.call(method, **params)
        except Exception as error:  # noqa: BLE001: its code is what is tested
            self.assertEqual(getattr(error, "code", None), code, error)
        else:
            self.fail(f"{method} succeeded")

    def test_a_network_that_lacks_something_works_once_it_is_there(self):
        client = self.pipe()
        bob = self.create(client, "bob")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            direct = client.call("transport_add", profile=bob, name="p2p", settings=[
                {"name": "listen", "value": f"127.0.0.1:{port}"}])["transport"]
            client.call("transport_start", profile=bob, transport=direct)
            self.event(client, lambda e: e["type"] == 6 and int(e["state"]) == 4)
        self.event(client, lambda e: e["type"] == 6 and int(e["state"]) == 2)
        self.assertEqual(client.close(), 0)

    def test_a_network_is_described_the_same_without_a_profile(self):
        client = self.pipe()
        profile = self.create(client, "alice")
        for name in ("centralized", "p2p", "onion"):
            about = client.call("transport_describe", profile=profile, name=name)["page"]
            # Nobody asks for a passphrase.
            told = self.wherry("nobody", "transports describe", name, "--json", passphrase=None)
            self.assertEqual(json.loads(told), about)
            self.wherry("nobody", "transports describe", name, passphrase=None)
        self.assertIn("it has centralized", self.wherry("nobody", "transports describe", "pigeon",
                                                        code=USAGE, passphrase=None))

    def test_one_client_two_profiles_a_message_each_way(self):
        client = self.pipe()
        alice, bob = self.create(client, "alice"), self.create(client, "bob")
        leads_to_alice = self.join(client, alice)
        self.join(client, bob)
        card = client.call("card_make", profile=alice, transport=leads_to_alice, valid_s=0)["text"]
        parsed = client.call("card_parse", text=card)["page"][0]
        self.assertEqual(parsed["identity"], client.call("identity", profile=alice)["identity"])
        contact = client.call("contact_add", profile=bob, card=card, name="Alice")["contact"]
        there = client.call("conversation_with", profile=bob, contact=contact)["conversation"]
        ref = b64(os.urandom(16))
        message = {"profile": bob, "conversation": there, "ref": ref, "content": 1,
                   "body": b64("grüße".encode())}
        sent = client.call("send", **message)["message"]
        self.assertEqual(client.call("send", **message)["message"], sent)
        asked = self.event(client, lambda e: e["type"] == 4 and int(e["state"]) == 2)
        client.call("contact_accept", profile=alice, contact=asked["contact"], name=None)
        came = self.event(client, lambda e: e["type"] == 1)
        self.assertEqual(came["text"], "grüße")
        client.call("event_ack", profile=alice, seq=came["seq"])
        back = client.call("send", profile=alice, conversation=came["conversation"], content=2,
                           body=b64(b"\0\xff"))["message"]
        self.assertTrue(back)
        answer = self.event(client, lambda e: e["type"] == 1)
        self.assertEqual(answer["body"], b64(b"\0\xff"))
        page = client.call("history", profile=bob, conversation=there, **{"from": "0"},
                           direction=0, limit=10)["page"]
        self.assertEqual([item["message"] for item in page][0], sent)
        self.assertEqual(len(page), 2)
        self.assertEqual(client.close(), 0)

    def receive(self, client, count):
        """This many more messages of each person, who begin theirs with their initial; in order."""
        texts = {"a": [], "b": []}
        while min(len(said) for said in texts.values()) < count:
            _, event = client.events.get(timeout=LIMIT_S)
            if event["type"] == 1:
                texts[event["text"][0]].append(event["text"][1:])
        return texts

    def test_a_conversation_moves_to_a_direct_link_and_back(self):
        client = self.pipe()
        alice, bob = self.create(client, "alice"), self.create(client, "bob")
        leads_to_alice = self.join(client, alice)
        transports = {alice: {"centralized": leads_to_alice},
                      bob: {"centralized": self.join(client, bob)}}
        settings = [{"name": "listen", "value": "127.0.0.1:0"},
                    {"name": "allow", "value": "127.0.0.0/8"}]
        for profile in (alice, bob):
            direct = client.call("transport_add", profile=profile, name="p2p",
                                 settings=settings)["transport"]
            client.call("transport_start", profile=profile, transport=direct)
            transports[profile]["p2p"] = direct
        card = client.call("card_make", profile=alice, transport=leads_to_alice, valid_s=0)["text"]
        contact = client.call("contact_add", profile=bob, card=card, name="Alice")["contact"]
        talks = {bob: client.call("conversation_with", profile=bob, contact=contact)["conversation"]}
        client.call("send", profile=bob, conversation=talks[bob], content=1, body=b64(b"hello"))
        asked = self.event(client, lambda e: e["type"] == 4 and int(e["state"]) == 2)
        client.call("contact_accept", profile=alice, contact=asked["contact"], name=None)
        talks[alice] = self.event(client, lambda e: e["type"] == 1)["conversation"]

        def settled(profile, name):
            route = client.call("conversation_route", profile=profile,
                                conversation=talks[profile])["page"][0]
            return (route["sending"], route["receiving"]) == (name, name)

        number = 0
        for name in ("p2p", "centralized", "p2p"):
            said = []
            for moment in range(3):
                for _ in range(20):
                    said.append(str(number))
                    number += 1
                    for initial, profile in (("a", alice), ("b", bob)):
                        client.call("send", profile=profile, conversation=talks[profile],
                                    content=1, body=b64((initial + said[-1]).encode()))
                if moment == 0:
                    client.call("conversation_set_route", profile=alice,
                                conversation=talks[alice], route=name)
            self.assertEqual(self.receive(client, len(said)), {"a": said, "b": said})
            until = time.monotonic() + LIMIT_S
            while not (settled(alice, name) and settled(bob, name)):
                self.assertLess(time.monotonic(), until, f"they are not at {name}")
                time.sleep(0.05)
            for sender, reader in ((alice, bob), (bob, alice)):
                client.call("send", profile=sender, conversation=talks[sender], content=1,
                            body=b64(b"where?"))
                came = self.event(client, lambda e: e["type"] == 1 and e["text"] == "where?")
                self.assertEqual(came["transport"], transports[reader][name])
        self.assertEqual(client.close(), 0)

    def test_a_closed_profile_is_gone_and_opens_again(self):
        client = self.pipe()
        profile = self.create(client, "alice")
        identity = client.call("identity", profile=profile)["identity"]
        client.call("close", profile=profile)
        self.fails(E_HANDLE, client, "close", profile=profile)
        self.fails(E_HANDLE, client, "identity", profile=profile)
        self.fails(E_KEY, client, "profile_open", path=str(self.folder / "alice"), key=b64(b"no"),
                   key_kind=1)
        again = client.call("profile_open", path=str(self.folder / "alice"), key=KEY, key_kind=1,
                            options={"durability": 1, "log_level": 0})["profile"]
        self.assertNotEqual(again, profile)
        self.assertEqual(client.call("identity", profile=again)["identity"], identity)
        self.fails(E_NOT_FOUND, client, "conversation_with", profile=again, contact="12345")

    def test_an_expired_card_is_refused(self):
        client = self.pipe()
        alice, bob = self.create(client, "alice"), self.create(client, "bob")
        transport = self.join(client, alice)
        card = client.call("card_make", profile=alice, transport=transport, valid_s=1)["text"]
        waiting = threading.Event()
        while not int(client.call("card_parse", text=card)["page"][0]["expired"]):
            waiting.wait(0.05)
        self.fails(E_CARD_EXPIRED, client, "contact_add", profile=bob, card=card, name=None)

    def test_a_signal_closes_everything(self):
        client = self.pipe()
        self.create(client, "alice")
        client.process.terminate()
        self.assertEqual(client.process.wait(timeout=LIMIT_S), 0)


class PermitsAndDiskTest(CliTest):
    def test_settings_that_failed_on_a_full_disk_permit_nothing(self):
        wrapper = self.folder / "wherry"  # Popen would restore SIGXFSZ
        wrapper.write_text(f'#!/bin/bash\ntrap "" XFSZ\nexec {PROGRAM} "$@"\n')
        wrapper.chmod(0o700)
        pipe = PipeClient(str(wrapper), subprocess.DEVNULL)
        self.addCleanup(self.end_pipe, pipe)
        profile = pipe.call("profile_create", path=str(self.folder / "p"), key=b64(b"k" * 32),
                            key_kind=2)["profile"]
        transport = pipe.call("transport_add", profile=profile, name="centralized", settings=[
            {"name": "relay", "value": self.endpoint}])["transport"]

        def proxy(value):
            pipe.call("transport_set", profile=profile, transport=transport,
                      settings=[{"name": "proxy", "value": value}])

        def limit_files(size):
            resource.prlimit(pipe.process.pid, resource.RLIMIT_FSIZE,
                             (size, resource.RLIM_INFINITY))

        no_operator_ip = 3
        pipe.call("profile_set_permits", profile=profile,
                  permits=pipe.call("permits_preset", preset=no_operator_ip)["permits"],
                  tightening=0)
        proxy("127.0.0.1:9")
        pipe.call("transport_start", profile=profile, transport=transport)
        proxy("")  # direct: forbidden
        limit_files(4096)
        with self.assertRaises(CallError) as failed:
            proxy("127.0.0.1:9")
        self.assertEqual(failed.exception.name, "WHERRY_E_DISK")
        limit_files(resource.RLIM_INFINITY)
        until = time.monotonic() + 8
        while time.monotonic() < until:
            row = pipe.call("transport_list", profile=profile)["page"][0]
            self.assertNotEqual(row["state"], 2, "online, and the operator sees the address")
            time.sleep(0.2)


if __name__ == "__main__":
    unittest.main()
