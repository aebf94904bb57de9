"""Wherry against implementations that are not its own: `doubleratchet`, `x3dh` and `cryptography`."""

import asyncio
import hashlib
import os
import random
import unittest

import doubleratchet
import x3dh
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from x3dh.identity_key_pair import IdentityKeyPairPriv

import xchacha
from driver import Driver, DriverError
from ratchet_peer import Peer

SESSION_INFO = b"wherry/1/PQXDH_CURVE25519_SHA-256_ML-KEM-768"


def public_of(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


class OracleTest(unittest.TestCase):
    def setUp(self):
        self.driver = Driver()
        self.addCleanup(self.driver.close)

    def do(self, action, **parameters):
        return self.driver.do(action, **parameters)


class PrimitiveTest(OracleTest):
    def test_x25519(self):
        for _ in range(20):
            mine, theirs = os.urandom(32), os.urandom(32)
            self.assertEqual(self.do("keypair", secret=mine)["public"], public_of(mine))
            shared = X25519PrivateKey.from_private_bytes(theirs).exchange(
                X25519PublicKey.from_public_bytes(public_of(mine))
            )
            ours = self.do("agree", secret=mine, public=public_of(theirs))["shared"]
            self.assertEqual(ours, shared)
        with self.assertRaises(DriverError):
            self.do("agree", secret=os.urandom(32), public=bytes(32))

    def test_ed25519_both_ways(self):
        seed, data = os.urandom(32), os.urandom(200)
        labelled = b"wherry/1/card" + data
        ours = self.do("sign", seed=seed, label="card", data=data)
        key = Ed25519PrivateKey.from_private_bytes(seed)
        self.assertEqual(ours["signature"], key.sign(labelled))
        theirs = Ed25519PublicKey.from_public_bytes(ours["public"])
        theirs.verify(ours["signature"], labelled)
        with self.assertRaises(InvalidSignature):
            theirs.verify(ours["signature"], data)
        parameters = {"public": ours["public"], "signature": key.sign(labelled), "data": data}
        self.assertTrue(self.do("verify", label="card", **parameters)["ok"])
        self.assertFalse(self.do("verify", label="prekey", **parameters)["ok"])

    def test_xchacha20_poly1305(self):
        for size in (0, 1, 63, 64, 65, 400):
            key, nonce, ad = os.urandom(32), os.urandom(24), os.urandom(size % 50)
            plain = os.urandom(size)
            ours = self.do("aead_seal", key=key, nonce=nonce, ad=ad, plain=plain)["sealed"]
            self.assertEqual(ours, xchacha.seal(key, nonce, ad, plain))
            self.assertEqual(xchacha.unseal(key, nonce, ad, ours), plain)

    def test_argon2id(self):
        salt = os.urandom(16)
        ours = self.do("password", passphrase="correct horse", salt=salt, ops=3, memory_kib=256)
        theirs = Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=256)
        self.assertEqual(ours["key"], theirs.derive(b"correct horse"))

    def test_ml_kem_768_both_ways(self):
        for _ in range(5):
            seed = os.urandom(64)
            theirs = MLKEM768PrivateKey.from_seed_bytes(seed)
            public = self.do("kem_keypair", seed=seed)["public"]
            self.assertEqual(public, theirs.public_key().public_bytes_raw())
            sent = self.do("kem_encap", public=public, message=os.urandom(32))
            self.assertEqual(theirs.decapsulate(sent["ciphertext"]), sent["shared"])
            shared, ciphertext = MLKEM768PublicKey.from_public_bytes(public).encapsulate()
            received = self.do("kem_decap", seed=seed, ciphertext=ciphertext)
            self.assertEqual(received["shared"], shared)
            # Implicit rejection agrees too.
            broken = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
            received = self.do("kem_decap", seed=seed, ciphertext=broken)
            self.assertEqual(received["shared"], theirs.decapsulate(broken))

    def test_x_wing_both_ways(self):
        """draft-connolly-cfrg-xwing-kem: SHA3-256 over both secrets, the X25519 part and a label."""

        def combine(secret_m, secret_x, ciphertext_x, public_x):
            data = secret_m + secret_x + ciphertext_x + public_x + bytes.fromhex("5c2e2f2f5e5c")
            return hashlib.sha3_256(data).digest()

        seed = os.urandom(32)
        expanded = hashlib.shake_256(seed).digest(96)
        kem, private_x = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), expanded[64:]
        public_x = public_of(private_x)
        public = self.do("xwing_keypair", seed=seed)["public"]
        self.assertEqual(public, kem.public_key().public_bytes_raw() + public_x)

        sent = self.do("xwing_encap", public=public, randomness=os.urandom(64))
        ciphertext_m, ciphertext_x = sent["ciphertext"][:1088], sent["ciphertext"][1088:]
        secret_x = X25519PrivateKey.from_private_bytes(private_x).exchange(
            X25519PublicKey.from_public_bytes(ciphertext_x)
        )
        secret_m = kem.decapsulate(ciphertext_m)
        self.assertEqual(combine(secret_m, secret_x, ciphertext_x, public_x), sent["shared"])

        secret_m, ciphertext_m = kem.public_key().encapsulate()
        ephemeral = X25519PrivateKey.generate()
        secret_x = ephemeral.exchange(X25519PublicKey.from_public_bytes(public_x))
        ciphertext_x = ephemeral.public_key().public_bytes_raw()
        received = self.do("xwing_decap", seed=seed, ciphertext=ciphertext_m + ciphertext_x)
        self.assertEqual(received["shared"], combine(secret_m, secret_x, ciphertext_x, public_x))


class X3dhState(x3dh.BaseState):
    @staticmethod
    def _encode_public_key(key_format, pub):
        return pub


class HandshakeTest(OracleTest):
    """X3DH's four secrets and KDF. PQXDH puts the secret of ML-KEM where X3DH has its fourth DH."""

    def agree(self, private, public):
        return self.do("agree", secret=private, public=public)["shared"]

    def session_root(self, dh1, dh2, dh3, fourth):
        return self.do("secrets", dh1=dh1, dh2=dh2, dh3=dh3, kem=fourth)["session"][:32]

    def state(self, identity_private):
        state = X3dhState.create(
            x3dh.IdentityKeyFormat.CURVE_25519,
            x3dh.HashFunction.SHA_256,
            SESSION_INFO,
            IdentityKeyPairPriv(identity_private),
        )
        state.generate_pre_keys(1)
        return state

    def test_ours_is_passive(self):
        identity = os.urandom(32)
        responder = self.state(identity)
        initiator = self.state(os.urandom(32))
        shared, _, header = asyncio.run(initiator.get_shared_secret_active(responder.bundle))
        signed_prekey = responder.model.signed_pre_key.priv
        (one_time,) = responder.model.pre_keys
        ours = self.session_root(
            self.agree(signed_prekey, header.identity_key),
            self.agree(identity, header.ephemeral_key),
            self.agree(signed_prekey, header.ephemeral_key),
            self.agree(one_time, header.ephemeral_key),
        )
        self.assertEqual(ours, shared)

    def test_ours_is_active(self):
        responder = self.state(os.urandom(32))
        bundle = responder.bundle
        (one_time,) = bundle.pre_keys
        identity, ephemeral = os.urandom(32), os.urandom(32)
        ours = self.session_root(
            self.agree(identity, bundle.signed_pre_key),
            self.agree(ephemeral, bundle.identity_key),
            self.agree(ephemeral, bundle.signed_pre_key),
            self.agree(ephemeral, one_time),
        )
        header = x3dh.Header(
            self.do("keypair", secret=identity)["public"],
            self.do("keypair", secret=ephemeral)["public"],
            bundle.signed_pre_key,
            one_time,
        )
        shared, _, _ = asyncio.run(responder.get_shared_secret_passive(header))
        self.assertEqual(ours, shared)

    def test_all_of_the_secrets(self):
        dh1, dh2, dh3, kem = (os.urandom(32) for _ in range(4))
        ours = self.do("secrets", dh1=dh1, dh2=dh2, dh3=dh3, kem=kem)
        prefix = b"\xff" * 32
        session = HKDF(SHA256(), 96, bytes(32), SESSION_INFO)
        self.assertEqual(ours["session"], session.derive(prefix + dh1 + dh2 + dh3 + kem))
        identity = HKDF(SHA256(), 32, bytes(32), b"wherry/1/identity")
        self.assertEqual(ours["identity"], identity.derive(prefix + dh2 + dh3 + kem))


class RatchetTest(OracleTest):
    def begin(self, ours_is_initiator):
        """Returns the other end after the first message from the initiator."""
        secrets, ad, prekey = os.urandom(96), os.urandom(32), os.urandom(32)
        peer = Peer(secrets, ad)
        if ours_is_initiator:
            self.do("ratchet_new", role="initiator", secrets=secrets, ad=ad, prekey=public_of(prekey))
            first = self.seal(b"first")
            self.assertEqual(asyncio.run(peer.accept(prekey, first)), b"first")
        else:
            self.do("ratchet_new", role="responder", secrets=secrets, ad=ad, prekey=prekey)
            first = asyncio.run(peer.start(public_of(prekey), b"first"))
            self.assertEqual(self.open(first), b"first")
        return peer

    def seal(self, payload, floor=0):
        return self.do("ratchet_seal", payload=payload, floor=floor)["envelope"]

    def open(self, envelope):
        answer = self.do("ratchet_open", envelope=envelope)
        return answer["payload"] if answer["outcome"] == "opened" else answer["outcome"]

    def test_turns_at_every_message(self):
        for ours_is_initiator in (True, False):
            with self.subTest(ours_is_initiator=ours_is_initiator):
                peer = self.begin(ours_is_initiator)
                for i in range(20):
                    text = b"to the peer %d" % i
                    if i or not ours_is_initiator:
                        self.assertEqual(asyncio.run(peer.open(self.seal(text))), text)
                    text = b"from the peer %d" % i
                    self.assertEqual(self.open(asyncio.run(peer.seal(text))), text)

    def test_every_bucket(self):
        peer = self.begin(True)
        for size in (0, 330, 331, 842, 3914, 16202, 44874):
            payload = os.urandom(size)
            self.assertEqual(asyncio.run(peer.open(self.seal(payload))), payload)
            envelope = asyncio.run(peer.seal(payload))
            self.assertEqual(self.open(envelope), payload)

    def test_skipped_out_of_order_and_doubled(self):
        """Both ways at once, with loss, over many turns; a seed that fails can be repeated."""
        for seed in range(12):
            with self.subTest(seed=seed):
                self.exchange(random.Random(seed), ours_is_initiator=seed % 2 == 0)

    def exchange(self, chance, ours_is_initiator):
        peer = self.begin(ours_is_initiator)
        to_peer, from_peer, done = [], [], []
        if ours_is_initiator:
            # The peer answers first, so that both can send from here on.
            self.assertEqual(self.open(asyncio.run(peer.seal(b"answer"))), b"answer")
        for i in range(150):
            text = b"%d" % i
            action = chance.random()
            if action < 0.3:
                to_peer.append((self.seal(text), text))
            elif action < 0.6:
                from_peer.append((asyncio.run(peer.seal(text)), text))
            elif action < 0.65 and to_peer + from_peer:
                chance.choice([queue for queue in (to_peer, from_peer) if queue]).pop()
            elif action < 0.82 and to_peer:
                envelope, text = to_peer.pop(chance.randrange(len(to_peer)))
                self.assertEqual(asyncio.run(peer.open(envelope)), text)
            elif from_peer:
                envelope, text = from_peer.pop(chance.randrange(len(from_peer)))
                self.assertEqual(self.open(envelope), text)
                done.append(envelope)
        for envelope, text in to_peer:
            self.assertEqual(asyncio.run(peer.open(envelope)), text)
        for envelope, text in from_peer:
            self.assertEqual(self.open(envelope), text)
            done.append(envelope)
        for envelope in done:
            self.assertEqual(self.open(envelope), "duplicate")

    def test_header_numbers_settle_ours(self):
        peer = self.begin(False)
        lost = asyncio.run(peer.seal(b"lost"))
        self.assertEqual(self.open(asyncio.run(peer.seal(b"later"))), b"later")
        self.assertEqual(self.do("ratchet_state")["received"], 1)
        peer.floor = 2
        self.assertEqual(self.open(asyncio.run(peer.seal(b"last"))), b"last")
        state = self.do("ratchet_state")
        self.assertEqual((state["received"], state["skipped"]), (4, 0))
        self.assertEqual(self.open(lost), "below_floor")

    def test_tampering_is_refused_by_both(self):
        peer = self.begin(True)
        ours = self.seal(b"payload")
        for at in (0, 20, 30, 200, 511):
            altered = bytearray(ours)
            altered[at] ^= 1
            with self.assertRaises((ValueError, doubleratchet.AuthenticationFailedException)):
                asyncio.run(peer.open(bytes(altered)))
        self.assertEqual(asyncio.run(peer.open(ours)), b"payload")
        theirs = asyncio.run(peer.seal(b"payload"))
        for at in (0, 20, 30, 200, 511):
            altered = bytearray(theirs)
            altered[at] ^= 1
            self.assertEqual(self.open(bytes(altered)), "refused")
        self.assertEqual(self.open(theirs), b"payload")


if __name__ == "__main__":
    unittest.main()
