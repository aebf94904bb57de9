"""Bars as SVG: the median as the bar, each round as a dot."""

import os
from xml.sax.saxutils import escape

from names import OURS
from table import number

WIDTH, LABELS, VALUES, BAR, GAP, TOP = 900, 210, 110, 26, 14, 64
COLOURS = {"ours": "#2f6f9f", "theirs": "#9a9a9a"}


def bars(title, subtitle, unit, entries):
    """`entries`: (label, values) from top to bottom. The SVG as text."""
    height = TOP + len(entries) * (BAR + GAP) + 20
    highest = max(max(values) for _, values in entries) or 1
    scale = (WIDTH - LABELS - VALUES) / highest
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
           'font-family="sans-serif" font-size="14">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           f'<text x="16" y="26" font-size="18">{escape(title)}</text>',
           f'<text x="16" y="46" font-size="12" fill="#555">{escape(subtitle)}</text>']
    for at, (label, values) in enumerate(entries):
        y = TOP + at * (BAR + GAP)
        middle = sorted(values)[len(values) // 2]
        colour = COLOURS["ours" if label in OURS else "theirs"]
        out.append(f'<text x="{LABELS - 10}" y="{y + 18}" text-anchor="end">{escape(label)}</text>')
        out.append(f'<rect x="{LABELS}" y="{y}" width="{middle * scale:.1f}" height="{BAR}" '
                   f'fill="{colour}"/>')
        for value in values:
            out.append(f'<circle cx="{LABELS + value * scale:.1f}" cy="{y + BAR / 2}" r="3" '
                       'fill="#222"/>')
        end = LABELS + max(values) * scale + 10
        out.append(f'<text x="{end:.1f}" y="{y + 18}">{number(middle)} {escape(unit)}</text>')
    out.append("</svg>\n")
    return "\n".join(out)


def plot_all(folder, about, sources, results):
    os.makedirs(folder, exist_ok=True)
    systems = [source for source in sources if source.throughput]
    if not systems:
        return
    about_text = (f"{about['date']}, {about['commit']}, {about['processors']} processors; "
                  "bar: median, dots: rounds")
    plots = {
        "throughput": ("256 B messages a second, until the other app was told", "msgs/s",
                       [(source.name, results[source.name][source.throughput].values)
                        for source in systems]),
        "latency": ("One way on an idle system, median", "ms",
                    [(source.name, results[source.name]["one_way_median"].values)
                     for source in systems]),
        "latency_p99": ("One way on an idle system, 99th percentile", "ms",
                        [(source.name, results[source.name]["one_way_p99"].values)
                         for source in systems]),
    }
    for name, (title, unit, entries) in plots.items():
        with open(os.path.join(folder, f"{name}.svg"), "w") as file:
            file.write(bars(title, about_text, unit, entries))
