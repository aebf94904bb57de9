"""What happened when: as lines of text, and as a picture (SVG).

Times are time.perf_counter; everything is shown from `began` on, in seconds.
"""

import math
from collections import namedtuple

NETWORKS = {"centralized": ("relay", "R", "#2f6fb3"), "p2p": ("direct link", "D", "#d9822b"),
            "onion": ("onion service", "O", "#7d4698")}
COLUMNS = 72
WIDTH, LEFT, RIGHT, TOP = 880, 130, 20, 30  # of the picture, in its units
BAR, PANEL, GAP = 14, 110, 34
LEAST_MS, MOST_MS = 1, 10_000  # of latencies

# From one person to another: when it arrived, how long it took (s), by which network.
Message = namedtuple("Message", "way arrived took network")


class Timeline:
    def __init__(self, began, ended, bars, events, messages):
        """bars: name -> [from, to] times; events: (when, text); messages: Message."""
        self.began, self.length = began, ended - began
        self.bars = {name: [self._within(*times) for times in bar] for name, bar in bars.items()}
        self.events = [(when - began, text) for when, text in events]
        self.messages = [message._replace(arrived=message.arrived - began) for message in messages]
        self.ways = sorted({message.way for message in messages})

    def _within(self, start, end):
        end = self.length if end is None else end - self.began
        return max(0.0, start - self.began), min(self.length, end)

    # Text

    def lines(self):
        yield f"{'seconds':<14} {self._ruler()}"
        for name, bar in self.bars.items():
            yield f"{name:<14} {self._bar(bar)}".rstrip()
        for way in self.ways:
            yield f"{way:<14} {self._way(way)}".rstrip()
        used = {message.network for message in self.messages}
        legend = [f"{letter} by the {name}" for network, (name, letter, _) in NETWORKS.items()
                  if network in used]
        yield " " * 15 + ", ".join([*legend, "* by both"])
        for when, text in self.events:
            yield f"{when:6.2f} s  {text}"

    def latencies(self):
        """A line for each way and network: how long messages took."""
        for way in self.ways:
            for network, (name, _, _) in NETWORKS.items():
                took = sorted(message.took * 1000 for message in self.messages
                              if message.way == way and message.network == network)
                if took:
                    yield (f"{way}, {name}: {len(took)} messages; half of them arrived within "
                           f"{took[len(took) // 2]:.1f} ms, 99 of 100 within "
                           f"{took[len(took) * 99 // 100]:.0f} ms")

    def _column(self, when):
        return min(COLUMNS - 1, max(0, int(when / self.length * COLUMNS)))

    def _ruler(self):
        text = [" "] * (COLUMNS + 4)
        for second in range(0, int(self.length) + 1, 2):
            for place, digit in enumerate(str(second)):
                text[self._column(second) + place] = digit
        return "".join(text).rstrip()

    def _bar(self, bar):
        middles = [(column + 0.5) * self.length / COLUMNS for column in range(COLUMNS)]
        return "".join("=" if any(start <= middle <= end for start, end in bar) else " "
                       for middle in middles)

    def _way(self, way):
        seen = [set() for _ in range(COLUMNS)]
        for message in self.messages:
            if message.way == way:
                seen[self._column(message.arrived)].add(NETWORKS[message.network][1])
        return "".join(" " if not letters else letters.pop() if len(letters) == 1 else "*"
                       for letters in seen)

    # Picture

    def svg(self):
        height = (TOP + (BAR + 8) * len(self.bars) + (PANEL + GAP) * len(self.ways) + 14 +
                  16 * len(self.events))
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
               f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
               '<rect width="100%" height="100%" fill="#ffffff"/>']
        y = TOP
        for name, bar in self.bars.items():
            colour = next((colour for text, _, colour in NETWORKS.values() if text in name),
                          "#666666")
            out.append(_text(LEFT - 8, y + 11, name, "end"))
            out += [f'<rect x="{self._x(start):.1f}" y="{y}" height="{BAR}" rx="2" '
                    f'width="{max(1, self._x(end) - self._x(start)):.1f}" fill="{colour}"/>'
                    for start, end in bar]
            y += BAR + 8
        panels = y
        for way in self.ways:
            y += 20
            out += self._panel(way, y)
            y += PANEL + GAP - 20
        out += self._marks(panels, y)
        return "\n".join([*out, "</svg>", ""])

    def _x(self, when):
        return LEFT + when / self.length * (WIDTH - LEFT - RIGHT)

    @staticmethod
    def _y(top, took):
        place = math.log(min(MOST_MS, max(LEAST_MS, took * 1000)) / LEAST_MS)
        return top + PANEL * (1 - place / math.log(MOST_MS / LEAST_MS))

    def _panel(self, way, top):
        yield (f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{PANEL}" '
               'fill="#f6f6f6"/>')
        yield _text(LEFT - 58, top + PANEL / 2 + 4, way, "end")
        for took, name in ((0.001, "1 ms"), (0.01, "10 ms"), (0.1, "0.1 s"), (1, "1 s"),
                           (10, "10 s")):
            y = self._y(top, took)
            yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
            yield _text(LEFT - 8, y + 4, name, "end", "#888888")
        for network, (_, _, colour) in NETWORKS.items():
            dots = {(round(self._x(message.arrived) * 2) / 2, round(self._y(top, message.took)))
                    for message in self.messages
                    if message.way == way and message.network == network}
            path = "".join(f"M{x:g} {y}h0" for x, y in sorted(dots))
            yield (f'<path d="{path}" stroke="{colour}" stroke-width="3" '
                   'stroke-linecap="round" fill="none"/>')

    def _marks(self, top, bottom):
        for second in range(0, int(self.length) + 1, 2):
            yield _text(self._x(second), TOP - 12, f"{second} s", "middle", "#888888")
        for number, (when, text) in enumerate(self.events, 1):
            x = self._x(when)
            yield (f'<path d="M{x:.1f} {TOP - 4}V{bottom - 8}" stroke="#333333" '
                   'stroke-dasharray="2 3"/>')
            yield _text(x + 3, top + 13, str(number), "start", "#333333")
            yield _text(LEFT, bottom + 8 + 16 * (number - 1), f"{number}.  {when:.2f} s  {text}")


def _text(x, y, text, anchor="start", colour="#222222"):
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{text}</text>'
