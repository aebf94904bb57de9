"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) on the ChaCha20-Poly1305 of `cryptography`."""

import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_MASK = 0xFFFFFFFF


def _quarter_round(state, a, b, c, d):
    for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[x] = (state[x] + state[y]) & _MASK
        mixed = state[z] ^ state[x]
        state[z] = (mixed << bits | mixed >> (32 - bits)) & _MASK


def hchacha20(key: bytes, nonce16: bytes) -> bytes:
    state = list(struct.unpack("<4I8I4I", b"expand 32-byte k" + key + nonce16))
    for _ in range(10):
        for column in range(4):
            _quarter_round(state, column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            _quarter_round(
                state,
                diagonal,
                4 + (diagonal + 1) % 4,
                8 + (diagonal + 2) % 4,
                12 + (diagonal + 3) % 4,
            )
    return struct.pack("<8I", *state[:4], *state[12:])


def _inner(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def seal(key: bytes, nonce: bytes, ad: bytes, plain: bytes) -> bytes:
    cipher, short_nonce = _inner(key, nonce)
    return cipher.encrypt(short_nonce, plain, ad)


def unseal(key: bytes, nonce: bytes, ad: bytes, sealed: bytes) -> bytes:
    """Raises cryptography.exceptions.InvalidTag."""
    cipher, short_nonce = _inner(key, nonce)
    return cipher.decrypt(short_nonce, sealed, ad)
