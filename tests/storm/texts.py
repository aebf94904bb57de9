"""What the people of a storm write: message `number` from one to another, by the seed alone.

An app that was killed makes the same message again, byte by byte, and repeats it by the same ref.
"""

import hashlib

CONTENT_TEXT, CONTENT_DATA = 1, 2
BODY_SIZE_MAX = 32768


class Direction:
    """One way between two people of this storm."""

    def __init__(self, seed, author, reader):
        self.name = f"{author} to {reader}"
        self._key = hashlib.blake2b(f"{seed}/{self.name}".encode()).digest()

    def _draw(self, what, number):
        return hashlib.blake2b(f"{what} {number}".encode(), key=self._key).digest()

    def ref(self, number):
        return self._draw("ref", number)[:16]

    def content(self, number):
        return CONTENT_DATA if number % 7 == 0 else CONTENT_TEXT

    def body(self, number):
        """Mostly a line of some words, sometimes a page, seldom the largest that there can be."""
        drawn = self._draw("body", number)
        kind = int.from_bytes(drawn[:4], "big") % 4000
        size = BODY_SIZE_MAX if kind == 0 else 4000 if kind < 40 else 24 + drawn[4]
        head = f"{self.name}, {number}: "
        return (head + drawn.hex() * (size // 128 + 1))[:max(size, len(head))].encode()

    def digest(self, number):
        return digest(self.body(number))


def number_of(body):
    """The direction's name and the number that a body tells, or None if it is none of ours."""
    head, colon, _ = body[:80].partition(b": ")
    name, comma, number = head.rpartition(b", ")
    if not (colon and comma and number.isdigit()):
        return None
    return name.decode(errors="replace"), int(number)


def digest(body):
    return hashlib.blake2b(body, digest_size=16).digest()
