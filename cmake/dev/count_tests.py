"""Adds up ctest's JUnit files and prints the closing line: N passed, N failed[, N skipped].

What failed is shown once more before it, with the end of its output: in a long log nobody finds it
otherwise. A file that is missing counts nothing: the stage that should have written it has failed by
itself.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree

LINES_SHOWN = 40


def show_failures(suite: ElementTree.Element) -> None:
    for case in suite.iter("testcase"):
        if case.get("status") != "fail":
            continue
        print(f"\nfailed: {case.get('name')}")
        output = (case.findtext("system-out") or "").rstrip().splitlines()
        for line in output[-LINES_SHOWN:]:
            print(f"  {line}")


def main() -> None:
    passed = failed = skipped = 0
    for name in sys.argv[1:]:
        if not pathlib.Path(name).is_file():
            continue
        suite = ElementTree.parse(name).getroot()
        show_failures(suite)
        left_out = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
        failures = int(suite.get("failures", 0))
        failed += failures
        skipped += left_out
        passed += int(suite.get("tests", 0)) - failures - left_out
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


main()
