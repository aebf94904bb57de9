"""The other end of a Wherry session: the Double Ratchet of PyPI's `doubleratchet`, which decides when
to turn, what to skip and which message key to use, with Wherry's header encryption around it, written
from PROTOCOL §5 alone.

That package has no header encryption. Its root KDF asks for 64 bytes; ours takes 96 and keeps the last
32, the next header key, aside.
"""

import hashlib
import os
import struct

import doubleratchet
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import xchacha

BUCKETS = (512, 1024, 4096, 16384, 45056)


def split(header_key):
    def derive(label):
        return hashlib.blake2b(b"wherry/1/" + label, key=header_key, digest_size=32).digest()

    return derive(b"tag"), derive(b"enc")


class _DiffieHellman(doubleratchet.DiffieHellmanRatchet):
    @staticmethod
    def _generate_priv():
        return os.urandom(32)

    @staticmethod
    def _derive_pub(priv):
        return X25519PrivateKey.from_private_bytes(priv).public_key().public_bytes_raw()

    @staticmethod
    def _perform_diffie_hellman(own_priv, other_pub):
        return X25519PrivateKey.from_private_bytes(own_priv).exchange(
            X25519PublicKey.from_public_bytes(other_pub)
        )


class _MessageKdf(doubleratchet.KDF):
    @staticmethod
    async def derive(key, data, length):
        return hashlib.blake2b(data, key=key, digest_size=length).digest()


class Peer:
    """One end. `received` and `floor` go into the next header."""

    def __init__(self, secrets, ad):
        self.received = 0
        self.floor = 0
        self._root, self._initiator_header, self._responder_header = (
            secrets[:32],
            secrets[32:64],
            secrets[64:],
        )
        self._ad = ad
        self._ratchet = None
        self._derived = []  # next header keys, in the order of root KDF calls
        self._send_header = None
        self._send_header_next = None
        self._receive_headers = []  # every one so far, the current one last
        self._receive_header_next = None
        self._classes = self._make_classes()

    def _make_classes(peer):
        class RootKdf(doubleratchet.KDF):
            @staticmethod
            async def derive(key, data, length):
                assert length == 64
                out = HKDF(SHA256(), 96, key, b"wherry/1/root").derive(data)
                peer._derived.append(out[64:])
                return out[:64]

        class Aead(doubleratchet.AEAD):
            @staticmethod
            async def encrypt(plaintext, key, associated_data):
                return peer._seal_envelope(plaintext, key, associated_data)

            @staticmethod
            async def decrypt(ciphertext, key, associated_data):
                try:
                    return peer._open_body(ciphertext, key)
                except InvalidTag:
                    raise doubleratchet.AuthenticationFailedException() from None

        class Ratchet(doubleratchet.DoubleRatchet):
            @staticmethod
            def _build_associated_data(associated_data, header):
                return header.ratchet_pub + struct.pack(
                    "<II", header.previous_sending_chain_length, header.sending_chain_length
                )

        return {
            "ratchet": Ratchet,
            "settings": {
                "diffie_hellman_ratchet_class": _DiffieHellman,
                "root_chain_kdf": RootKdf,
                "message_chain_kdf": _MessageKdf,
                "message_chain_constant": b"\x01",
                "dos_protection_threshold": 2000,
                "max_num_skipped_message_keys": 2000,
                "aead": Aead,
            },
        }

    # --- envelopes ---

    def _seal_envelope(self, payload, message_key, head_middle):
        tag_key, enc_key = split(self._send_header)
        tag = hashlib.blake2b(head_middle[36:40], key=tag_key, digest_size=16).digest()
        nonce = tag + os.urandom(8)
        head = b"\x01\0\0\0" + head_middle + struct.pack("<QQ", self.received, self.floor) + bytes(64)
        before_body = nonce + xchacha.seal(enc_key, nonce, b"", head)
        size = next(b for b in BUCKETS if b >= len(before_body) + 2 + len(payload) + 16)
        plain = struct.pack("<H", len(payload)) + payload
        plain += bytes(size - len(before_body) - 16 - len(plain))
        return before_body + xchacha.seal(message_key, nonce, self._ad + before_body, plain)

    def _open_body(self, envelope, message_key):
        plain = xchacha.unseal(
            message_key, envelope[:24], self._ad + envelope[:164], envelope[164:]
        )
        (length,) = struct.unpack("<H", plain[:2])
        assert plain[2 + length :].count(0) == len(plain) - 2 - length
        return plain[2 : 2 + length]

    def _open_header(self, envelope):
        """The header, and whether it is of the next chain. None: of no chain."""
        keys = [(self._receive_header_next, True)]
        keys += [(key, False) for key in reversed(self._receive_headers)]
        for key, is_next in keys:
            tag_key, enc_key = split(key)
            try:
                head = xchacha.unseal(enc_key, envelope[:24], b"", envelope[24:164])
            except InvalidTag:
                continue
            assert len(head) == 124 and head[:4] == b"\x01\0\0\0" and head[60:] == bytes(64)
            previous, number = struct.unpack("<II", head[36:44])
            tag = hashlib.blake2b(head[40:44], key=tag_key, digest_size=16).digest()
            assert tag == envelope[:16]
            return doubleratchet.Header(head[4:36], previous, number), is_next
        return None

    # --- the session ---

    async def start(self, their_prekey, payload):
        """As the initiator; returns the first envelope."""
        self._send_header = self._initiator_header
        self._receive_header_next = self._responder_header
        self._ratchet, message = await self._classes["ratchet"].encrypt_initial_message(
            **self._classes["settings"],
            shared_secret=self._root,
            recipient_ratchet_pub=their_prekey,
            message=payload,
            associated_data=b"",
        )
        (self._send_header_next,) = self._derived
        return message.ciphertext

    async def accept(self, my_prekey_priv, envelope):
        """As the responder; returns the first payload."""
        self._receive_header_next = self._initiator_header
        self._send_header_next = self._responder_header
        header, _ = self._open_header(envelope)
        self._derived.clear()
        self._ratchet, payload = await self._classes["ratchet"].decrypt_initial_message(
            **self._classes["settings"],
            shared_secret=self._root,
            own_ratchet_priv=my_prekey_priv,
            message=doubleratchet.EncryptedMessage(header, envelope),
            associated_data=b"",
        )
        self._turn()
        return payload

    def _turn(self):
        self._receive_headers.append(self._receive_header_next)
        self._send_header = self._send_header_next
        self._receive_header_next, self._send_header_next = self._derived

    async def seal(self, payload):
        message = await self._ratchet.encrypt_message(payload, b"")
        return message.ciphertext

    async def open(self, envelope):
        """Raises what `doubleratchet` raises; ValueError when no header key fits."""
        found = self._open_header(envelope)
        if found is None:
            raise ValueError("no header key fits")
        header, is_next = found
        self._derived.clear()
        payload = await self._ratchet.decrypt_message(
            doubleratchet.EncryptedMessage(header, envelope), b""
        )
        assert bool(self._derived) == is_next
        if is_next:
            self._turn()
        return payload
