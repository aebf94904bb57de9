"""The report as text."""

from names import MOSQUITTO


def number(value):
    """Three digits that matter, with separators."""
    if value == 0:
        return "0"
    digits = max(0, 2 - len(str(int(abs(value)))) + 1)
    return f"{value:,.{digits}f}"


def spread(series):
    return f"{number(min(series.values))} to {number(max(series.values))}"


def print_table(rows, right=()):
    """Rows of texts, the first being the head; columns in `right` are set to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for at, row in enumerate(rows):
        cells = [cell.rjust(width) if column in right else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]
        print(("  " + "  ".join(cells)).rstrip())
        if at == 0:
            print("  " + "  ".join("-" * width for width in widths))


def print_systems(sources, results):
    rows = [("256 B, one sender, one receiver", "msgs/s", "spread", "ratio", "one way ms", "p99",
             "durability", "encryption")]
    systems = [source for source in sources if source.throughput]
    if not systems:
        return
    base = next((source for source in systems if source.name == MOSQUITTO), systems[0])
    reference = results[base.name][base.throughput].median
    for source in systems:
        figures = results[source.name]
        rate = figures[source.throughput]
        rows.append((source.name, number(rate.median), spread(rate),
                     f"{rate.median / reference:.2f}",
                     number(figures["one_way_median"].median), number(figures["one_way_p99"].median),
                     source.durability, source.encryption))
    print(f"\nSystems beside each other (ratio to: {base.name})\n")
    print_table(rows, right=(1, 3, 4, 5))


def print_goals(verdicts):
    rows = [("goal", "is", "should be", "")]
    for verdict in verdicts:
        rows.append((verdict.text, f"{number(verdict.value)} {verdict.unit}",
                     f"{'>=' if verdict.at_least else '<='} {verdict.bound:g} {verdict.unit}",
                     "met" if verdict.met else "MISSED"))
    print("\nGoals\n")
    print_table(rows, right=(1, 2))


def print_all(sources, results):
    rows = [("everything", "metric", "median", "spread", "unit")]
    for source in sources:
        for name, series in results[source.name].items():
            rows.append((source.name, name, number(series.median), spread(series), series.unit))
    print()
    print_table(rows, right=(2,))


def print_report(about, sources, results, missing, verdicts):
    print(f"\n{about['date']}, {about['commit']}, {about['processors']} x {about['processor']}, "
          f"{about['rounds']} rounds, load before {about['load_before']:.1f}")
    print_all(sources, results)
    print_systems(sources, results)
    if verdicts:
        print_goals(verdicts)
    for name, why in missing.items():
        print(f"\nNOT MEASURED: {name}, with its goals: {why}")
