# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs one module and ends its own process by SIGKILL at a given step: before something is done to a file or process.
# Usage: killed_module.py MODULE STEP DIRECTORY ARGUMENTS.json; only what is done below the directory counts, and every
# process that is started. The exit status is that of the module when it has fewer steps, and stderr says how many.

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

# What Python tells an audit hook of before it does it (the table of audit events in Python's documentation).
STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.utime")


def path_of(argument: object) -> str:
    """Give the path that an argument of an audit event is, or the one behind a descriptor."""
    if not isinstance(argument, int):
        return str(argument)
    try:
        return str(Path(f"/proc/self/fd/{argument}").readlink())
    except OSError:
        return ""


def is_step(event: str, arguments: tuple[object, ...], directory: str) -> bool:
    """Tell whether an audit event is a step of a run: it changes something below the directory, or starts a program."""
    if event == "subprocess.Popen":
        return True
    if event not in ("open", *STEPS):
        return False
    # A file is named in an open folder, of which an event tells by a descriptor, or, when it is opened, not at all.
    below = isinstance(arguments[0], str) and any(path_of(argument).startswith(directory) for argument in arguments)
    if event != "open":
        return below
    below = below or (isinstance(arguments[0], str) and not arguments[0].startswith("/"))
    return below and isinstance(arguments[2], int) and bool(arguments[2] & os.O_CREAT)


def main() -> None:
    """Run the module under a hook that counts."""
    name, wanted, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    del sys.argv[1:4]
    module = importlib.import_module(f"ansible_collections.mailops.split_domain.plugins.modules.{name}")
    seen = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if is_step(event, arguments, directory):
            seen += 1
            if seen == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    try:
        module.main()
    finally:
        print(f"steps: {seen}", file=sys.stderr)


if __name__ == "__main__":
    main()
