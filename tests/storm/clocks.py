"""Clocks that step: libfaketime reads the offset of a process's wall clock from a file.

Steady clocks are left alone, as a step of the wall clock leaves them.
"""

import glob
import os

LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/local/lib/faketime/libfaketimeMT.so.1")
OFFSET_S_MAX = 5 * 86400  # well within what relays keep envelopes for and cards are valid
STEPS_S = (1, 10, 60, 3600, 7200, 86400, 3 * 86400)


def library():
    found = [path for pattern in LIBRARIES for path in glob.glob(pattern)]
    return found[0] if found else None


class Clock:
    def __init__(self, path):
        self.path = path
        self.offset_s = 0
        self._write()

    def environment(self):
        return {"LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": self.path,
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def step(self, random):
        """A step in either direction; the offset stays bounded. Returns the seconds."""
        step_s = random.choice(STEPS_S) * random.choice((-1, 1))
        if abs(self.offset_s + step_s) > OFFSET_S_MAX:
            step_s = -step_s
        self.offset_s += step_s
        self._write()
        return step_s

    def _write(self):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{self.offset_s:+d}\n")
        os.replace(self.path + ".new", self.path)
