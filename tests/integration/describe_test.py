#!/usr/bin/env python3
"""The gate of the description: a header or schema that breaks a rule is refused, and says which.

Each test breaks a copy of the real files in one place.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DESCRIBE = ROOT / "cmake/describe.py"
FILES = ("include/wherry/wherry.h", "include/wherry/wherry_schema.h", "sdk/capi/schema.toml",
         "cmake/abi/wherry-1.json")


class DescribeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in FILES:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, self.root / name)

    def run_describe(self, *arguments):
        return subprocess.run([sys.executable, DESCRIBE, "--root", self.root, *arguments],
                              capture_output=True, text=True)

    def change(self, name, old, new):
        path = self.root / name
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1))

    def refused(self, *words):
        result = self.run_describe()
        self.assertEqual(result.returncode, 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_what_is_checked_in_is_what_is_made(self):
        result = self.run_describe("--check")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_check_notices_each_file_that_was_edited(self):
        for name in ("include/wherry/wherry_schema.h", "cmake/abi/wherry-1.json"):
            path = self.root / name
            text = path.read_text()
            path.write_text(text.replace("public key", "private key", 1))
            result = self.run_describe("--check")
            self.assertEqual(result.returncode, 1)
            self.assertIn(name, result.stderr)
            path.write_text(text)

    def test_check_notices_a_changed_declaration(self):
        self.change("include/wherry/wherry.h", "uint32_t valid_s,", "int32_t valid_s,")
        self.assertEqual(self.run_describe("--check").returncode, 1)

    def test_writing_repairs_what_check_notices(self):
        (self.root / "cmake/abi/wherry-1.json").write_text("{}")
        self.assertEqual(self.run_describe().returncode, 0)
        self.assertEqual(self.run_describe("--check").returncode, 0)

    def test_a_parameter_that_is_not_named(self):
        self.change("include/wherry/wherry.h", "In: timeout_ms.", "In: how long.")
        self.refused("wherry_sync", "timeout_ms")

    def test_a_length_that_is_not_named(self):
        self.change("include/wherry/wherry.h", "key, key_size in bytes, key_kind",
                    "key, key_kind")
        self.refused("wherry_profile_create", "key_size")

    def test_an_unknown_status(self):
        self.change("include/wherry/wherry.h", "E_SETTING, E_DISK.", "E_SETTINGS, E_DISK.")
        self.refused("WHERRY_E_SETTINGS")

    def test_a_function_without_documentation(self):
        self.change("include/wherry/wherry.h", "#ifdef __cplusplus\n}",
                    "WHERRY_API int32_t wherry_new(void);\n\n#ifdef __cplusplus\n}")
        self.refused("wherry_new", "not documented")

    def test_an_object_without_its_free(self):
        self.change("include/wherry/wherry.h", "Ownership: wherry_event_free.", "Ownership: it is.")
        self.refused("wherry_next_event", "wherry_event_free")

    def test_a_handle_without_its_close(self):
        self.change("include/wherry/wherry.h", "close it with wherry_close", "close it")
        self.refused("wherry_profile_create", "closes the handle")

    def test_a_declaration_that_is_not_understood(self):
        self.change("include/wherry/wherry.h", "#ifdef __cplusplus\n}",
                    "/* Odd. */\nunion wherry_odd { int a; };\n\n#ifdef __cplusplus\n}")
        self.refused("not understood", "wherry_odd")

    def test_an_event_with_an_unknown_field(self):
        self.change("sdk/capi/schema.toml", 'fields = ["REASON"]', 'fields = ["REASONS"]')
        self.refused("STORAGE", "REASONS")

    def test_a_value_that_is_used_twice(self):
        self.change("sdk/capi/schema.toml", 'name = "SENT", value = 1', 'name = "SENT", value = 2')
        self.refused("evidence", "twice")

    def test_a_struct_that_callers_make_without_its_init(self):
        self.change("include/wherry/wherry.h", "#define WHERRY_PROFILE_OPTIONS_INIT",
                    "#define WHERRY_PROFILE_OPTIONS_START")
        self.refused("wherry_profile_create", "wherry_profile_options", "_INIT")

    def test_a_struct_that_callers_make_without_its_size(self):
        self.change("include/wherry/wherry.h", "size_t size;                                   /*",
                    "size_t room;                                   /*")
        self.refused("wherry_profile_create", "wherry_profile_options", "size")

    def test_the_general_rules_stand_at_every_function(self):
        described = json.loads((self.root / "cmake/abi/wherry-1.json").read_text())
        listed = 0
        for function in described["functions"]:
            statuses = {status.removeprefix("WHERRY_") for status in function.get("statuses", [])}
            if function["returns"]["role"] != "status":
                self.assertEqual(statuses, set(), function["name"])
                continue
            listed += 1
            wanted = {"OK", "E_MEMORY", "E_INTERNAL"}
            for parameter in function["parameters"]:
                if parameter["role"] == "error":
                    wanted |= {"E_SIZE"}
                elif parameter["role"] == "handle" and parameter["direction"] == "in":
                    wanted |= {"E_HANDLE", "E_FORKED", "E_CLOSED"}
            if "E_DISK" in statuses:
                wanted |= {"E_CORRUPT", "E_READ_ONLY", "E_LOCKED"}
            self.assertEqual(wanted - statuses, set(), function["name"])
        self.assertGreater(listed, 20)

    def test_every_function_has_a_role_for_everything(self):
        described = json.loads((self.root / "cmake/abi/wherry-1.json").read_text())
        declared = (ROOT / "include/wherry/wherry.h").read_text().count("\nWHERRY_API ")
        self.assertEqual(len(described["functions"]), declared)
        for function in described["functions"]:
            self.assertTrue(function["returns"]["role"], function["name"])
            for parameter in function["parameters"]:
                self.assertTrue(parameter["role"], f"{function['name']}.{parameter['name']}")


if __name__ == "__main__":
    unittest.main()
