# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs one module and ends its own process by SIGKILL at a given step: before something is done to a file or process.
# Usage: killed_module.py MODULE STEP ARGUMENTS.json; the exit status is that of the module when it has fewer steps.

from __future__ import annotations

import importlib
import os
import signal
import sys

# What Python tells an audit hook of before it does it (the table of audit events in Python's documentation).
STEPS = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.utime", "subprocess.Popen")


def main() -> None:
    """Run the module under a hook that counts."""
    name, wanted = sys.argv[1], int(sys.argv[2])
    del sys.argv[1:3]
    module = importlib.import_module(f"ansible_collections.mailops.split_domain.plugins.modules.{name}")
    seen = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        opened_for_writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & os.O_CREAT
        if event in STEPS or opened_for_writing:
            seen += 1
            if seen == wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    module.main()


if __name__ == "__main__":
    main()
