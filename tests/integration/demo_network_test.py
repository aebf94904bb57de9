#!/usr/bin/env python3
"""The demo over onion services says what is missing, and what to do."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "samples/demo/demo.py"


class NetworkTest(unittest.TestCase):
    def test_names_the_package_of_a_missing_tor(self):
        told = subprocess.run([sys.executable, DEMO, "--plain", "--network", "onion"],
                              env={**os.environ, "PATH": "/not/there"}, capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(told.returncode, 1)
        self.assertRegex(told.stderr, r"^demo: there is no [\w-]+: install the package tor\n")

    def test_knows_its_networks_alone(self):
        told = subprocess.run([sys.executable, DEMO, "--network", "pigeons"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(told.returncode, 2)
        self.assertIn("onion", told.stderr)


if __name__ == "__main__":
    unittest.main()
