"""One person as the storm sees them: the process of their app (app.py) and the program it runs."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading

from processes import Process, reap, threads_of

APP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "app.py")
ORPHAN_S = 30  # closing takes 5 s at most; the rest is for a busy machine
# How a program ends whose app has died: nobody reads what it says.
ORPHAN_CODES = (0, 2)  # in order, or the exit code for a broken environment


class Person:
    def __init__(self, settings, folder, violate):
        """violate(text) is called for what must not happen."""
        self.name = settings["name"]
        self.violate = violate
        self.answers = queue.SimpleQueue()  # reports that answer a command
        self.status = {"sent": 0, "received": 0, "undelivered": 0}
        self.counts = {}  # what apps felt, by kind, over all lives
        self.memory_mib = 0.0  # the most that any of their programs had
        self.program = None
        self._folder = folder
        self._orphans = []
        with open(os.path.join(folder, "app.json"), "w", encoding="utf-8") as file:
            json.dump(settings, file)
        self.start()

    def start(self):
        with open(os.path.join(self._folder, "app.log"), "ab") as log:
            self._popen = subprocess.Popen([sys.executable, APP, self._folder],
                                           stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           stderr=log)
        self.app = Process(self._popen.pid)
        self._life_counts = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def command(self, **command):
        self._popen.stdin.write((json.dumps(command) + "\n").encode())
        self._popen.stdin.flush()

    def answer(self, name, limit_s):
        """The next report that has this name; others that answer nothing any more are dropped."""
        while True:
            try:
                report = self.answers.get(timeout=limit_s)
            except queue.Empty as error:
                raise TimeoutError(f"{self.name}'s app does not answer: {name}") from error
            if name in report:
                return report[name]

    def measure(self):
        program = self.program
        if program:
            self.memory_mib = max(self.memory_mib, program.measure())

    def _read(self):
        for line in self._popen.stdout:
            if line.endswith(b"\n"):
                self._take(json.loads(line))

    def _take(self, report):
        if "status" in report:
            self.status = report["status"]
            self._life_counts = report["counts"]
        elif "pipe" in report:
            self.program = Process(report["pipe"])
        elif "ended" in report:
            program, self.program = self.program, None
            self._judge(program, report["code"], wanted=report["wanted"])
        elif "violation" in report:
            self.violate(f"{self.name}: {report['violation']}")
        else:
            self.answers.put(report)

    def _judge(self, program, code, wanted=False, orphan=False):
        program.forget()
        fine = (code == 0 and wanted) or (code == -signal.SIGKILL and program.killed)
        if not fine and not (orphan and code in ORPHAN_CODES):
            self.violate(f"{self.name}: wherry pipe ended with {code}: see pipe.log")

    # Faults

    def kill_program(self):
        program = self.program
        return program is not None and program.send(signal.SIGKILL)

    def kill_app(self, program_too):
        """The app dies, and its program with it, or as one that nobody talks to any more."""
        self.app.send(signal.SIGKILL)
        if program_too:
            self.kill_program()
        code = self._popen.wait()
        self._reader.join()
        self._end_app(code)
        program, self.program = self.program, None
        if program:
            orphan = threading.Thread(target=self._watch_orphan, args=(program,), daemon=True)
            orphan.start()
            self._orphans.append(orphan)

    def _end_app(self, code):
        if code != 0 and not (code == -signal.SIGKILL and self.app.killed):
            self.violate(f"{self.name}: the storm's own app ended with {code}: see app.log")
        self.app.forget()
        self._popen.stdin.close()
        self._popen.stdout.close()
        self.counts = self.felt()
        self._life_counts = {}

    def felt(self):
        return {name: self.counts.get(name, 0) + self._life_counts.get(name, 0)
                for name in {*self.counts, *self._life_counts}}

    def _watch_orphan(self, program):
        try:
            code = reap(program.pid, ORPHAN_S)
        except ChildProcessError:
            return  # the app saw its end before its own
        if code is None:
            self.violate(f"{self.name}: wherry pipe did not end after its input had; its threads: "
                         + "; ".join(threads_of(program.pid)))
            program.send(signal.SIGKILL)
            code = reap(program.pid, ORPHAN_S)
        self._judge(program, code, orphan=True)

    def abandon(self):
        """After a failure of the storm itself: nothing is left running."""
        if self._popen.poll() is None:
            self.kill_app(program_too=True)

    def close(self, limit_s):
        self.command(do="close")
        try:
            code = self._popen.wait(timeout=limit_s)
        except subprocess.TimeoutExpired:
            self.violate(f"{self.name}: the app did not close within {limit_s} s")
            self.kill_app(program_too=True)
            return
        self._reader.join()
        self._end_app(code)
        for orphan in self._orphans:
            orphan.join()
