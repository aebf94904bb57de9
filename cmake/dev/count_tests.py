"""Adds up ctest's JUnit files and prints the closing line: N passed, N failed[, N skipped].

A file that is missing counts nothing: the stage that should have written it has failed by itself.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def main() -> None:
    passed = failed = skipped = 0
    for name in sys.argv[1:]:
        if not pathlib.Path(name).is_file():
            continue
        suite = ElementTree.parse(name).getroot()
        left_out = int(suite.get("skipped", 0)) + int(suite.get("disabled", 0))
        failures = int(suite.get("failures", 0))
        failed += failures
        skipped += left_out
        passed += int(suite.get("tests", 0)) - failures - left_out
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


main()
