"""The transcript on standard output; progress on standard error when that is a terminal."""

import sys

COLOURS = {"alice": "36", "bob": "33", "relay": "34", "direct": "35", "onion": "35"}


class Screen:
    def __init__(self, plain):
        self.colours = not plain and sys.stdout.isatty()
        self.progress_on = not plain and sys.stderr.isatty()

    def paint(self, code, text):
        return f"\x1b[{code}m{text}\x1b[0m" if self.colours else text

    def title(self, text):
        self.clear()
        print(f"\n{self.paint('1', text)}", flush=True)

    def line(self, who, text, note=""):
        self.clear()
        colour = COLOURS.get(who, "2")
        print(f"  {self.paint(colour, f'{who:<6}')} {text:<62} {self.paint('2', note)}".rstrip(),
              flush=True)

    def plain_line(self, text):
        self.clear()
        print(f"  {text}".rstrip(), flush=True)

    def progress(self, text):
        if self.progress_on:
            print(f"\r\x1b[K  {text}", end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.progress_on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
