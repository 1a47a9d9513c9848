# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a module in a process of its own that has done its imports already: the tests do it some hundred times.

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("module_server.py")


class _ModuleServer:
    """The process that forks. The tests' own has many threads, and a fork of it may wait for ever for a lock of one."""

    def __init__(self) -> None:
        command = [sys.executable, str(SERVER)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()

    def run(self, module: str, arguments: dict[str, Any]) -> dict[str, str]:
        request = json.dumps({"module": module, "arguments": arguments, "environment": dict(os.environ)})
        incoming, outgoing = self._process.stdin, self._process.stdout
        assert incoming is not None
        assert outgoing is not None
        with self._turn:
            print(request, file=incoming, flush=True)
            answer = outgoing.readline()
        assert answer, f"{SERVER.name} ended"
        said: dict[str, str] = json.loads(answer)
        return said


_SERVERS: dict[tuple[str, ...], _ModuleServer] = {}
"""By the namespaces that they are in: a thread of the tests may have a network, and a list of resolvers, of its own."""
_LOOKING = threading.Lock()


def run_module(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a module of the collection, which runs in the namespaces of the calling thread.

    Its arguments are read from a file, as Ansible gives them.
    """
    namespaces = tuple(str(Path("/proc/thread-self/ns", kind).readlink()) for kind in ("net", "mnt"))
    with _LOOKING:
        if namespaces not in _SERVERS:
            _SERVERS[namespaces] = _ModuleServer()
    said = _SERVERS[namespaces].run(name, arguments)
    assert said["stdout"].startswith("\n{"), said["stdout"] + said["stderr"]
    result: dict[str, Any] = json.loads(said["stdout"])
    return result
