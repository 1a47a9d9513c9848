# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs of modules that are killed at a given step, and what a server's files say afterwards.

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from split_server import SplitServer

KILLED_MODULE = Path(__file__).parents[1] / "postfix" / "killed_module.py"
MOST_STEPS = 400
LONG_FORM = "SPLIT_DOMAIN_LONG_FORM"


def kill_at(server: SplitServer, step: int, module: str, **arguments: Any) -> bool:
    """Run a module that is killed before its given step; False when it came to its end before."""
    done = _run(server, step, module, arguments)
    if done.returncode == -signal.SIGKILL:
        return True
    assert done.returncode == 0, done.stdout + done.stderr
    return False


def _run(server: SplitServer, step: int, module: str, arguments: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    values = {**arguments, "config_directory": str(server.config), "_ansible_diff": True}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"ANSIBLE_MODULE_ARGS": values}, file)
        file.flush()
        command = [sys.executable, str(KILLED_MODULE), module, str(step), str(server.config), file.name]
        done: subprocess.CompletedProcess[str] = server.network.at(
            server.host, lambda: subprocess.run(command, capture_output=True, text=True, check=False)
        )
    return done


def answers(server: SplitServer) -> dict[str, str]:
    """Return what main.cf and every table say, and all files that are no index."""
    files = {name: content.decode() for name, content in server.files().items() if not name.endswith(".lmdb")}
    if "split_domain" in files["main.cf"]:
        # In which order parameters of ours stand depends on which of them came when.
        files["main.cf"] = server.command("postconf", "-n").stdout
    for name in list(files):
        if (server.config / f"{name}.lmdb").exists():
            files[f"{name}.lmdb"] = server.command("postmap", "-s", f"lmdb:{server.config / name}").stdout
    return files


def is_taken_or_deferred(server: SplitServer, address: str) -> bool:
    return server.ask(address).code // 100 in (2, 4)


def steps(stride: int) -> range:
    """Give the steps to be killed at: one of ``stride``, or in the long form of the tests all of them."""
    return range(1, MOST_STEPS, 1 if os.environ.get(LONG_FORM) else stride)
