"""Disks that can be full: file systems in memory whose size is changed while they are in use.

They need a mount namespace. A program that may not have one runs the storm without them.
"""

import os
import shutil
import subprocess
import sys

MARK = "WHERRY_STORM_NAMESPACE"
ROOM = 8 << 30  # bytes; only what is used costs memory
ENTER = (["unshare", "--mount", "--propagation", "private"],
         ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private"])


def enter_namespace():
    """Starts this program again within a mount namespace: returns there, or where none is had."""
    if MARK in os.environ:
        return
    os.environ[MARK] = "none"
    for command in ENTER:
        probe = [*command, "sh", "-c", "mount -t tmpfs -o size=4096 tmpfs /mnt"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
            os.environ[MARK] = "own"
            os.execvp(command[0], [*command, sys.executable, *sys.argv])


def can_be_full():
    return os.environ.get(MARK) == "own"


class Disk:
    def __init__(self, path):
        self.path = path
        os.makedirs(path)
        self._mount("tmpfs", f"size={ROOM},mode=700")

    def fill(self, left):
        """Leaves room for this many bytes more."""
        while True:
            info = os.statvfs(self.path)
            used = (info.f_blocks - info.f_bfree) * info.f_frsize
            try:
                self._mount("tmpfs", f"remount,size={used + left}")
                return
            except subprocess.CalledProcessError:
                left += 65536  # it grew meanwhile

    def free(self):
        self._mount("tmpfs", f"remount,size={ROOM}")

    def keep(self, to):
        """Copies what is on it to a disk that outlives this program."""
        shutil.copytree(self.path, to, dirs_exist_ok=True)

    def drop(self):
        subprocess.run(["umount", "--lazy", self.path], check=True, capture_output=True)

    def _mount(self, kind, options):
        subprocess.run(["mount", "-t", kind, "-o", options, kind, self.path], check=True,
                       capture_output=True)
