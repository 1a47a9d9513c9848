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
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

SERVER = Path(__file__).with_name("module_server.py")


class ModuleServer:
    """The process that forks, in the namespaces of the thread that makes it.

    The tests' own has many threads, and a fork of it may wait for ever for a lock of one.
    """

    def __init__(self) -> None:
        command = [sys.executable, str(SERVER)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._turn = threading.Lock()

    def run(self, module: str, arguments: dict[str, Any]) -> dict[str, str]:
        """Run a module to its end, and return what it printed."""
        with self._turn:
            self._say(json.dumps(_request(module, arguments)))
            return self._hear()

    def halting(self, module: str, arguments: dict[str, Any], folder: str) -> Generator[str, None, dict[str, str]]:
        """Run a module that waits before each step that changes something below a folder: give the steps.

        In the end it returns what the module printed. Who gives up in between ends it.
        """
        with self._turn:
            try:
                self._say(json.dumps(_request(module, arguments, folder)))
                while "step" in (heard := self._hear()):
                    yield heard["step"]
                    self._say("")
                return heard
            except BaseException:
                self.end()
                raise

    def end(self) -> None:
        """End the process, and what it runs: that finds nobody to answer it."""
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()

    def _say(self, line: str) -> None:
        print(line, file=self._process.stdin, flush=True)

    def _hear(self) -> dict[str, str]:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        assert answer, f"{SERVER.name} ended"
        said: dict[str, str] = json.loads(answer)
        return said


def _request(module: str, arguments: dict[str, Any], halting: str = "") -> dict[str, Any]:
    return {"module": module, "arguments": arguments, "environment": dict(os.environ), "halting": halting}


_SERVERS: dict[tuple[str, ...], ModuleServer] = {}
"""By the namespaces that they are in: a thread of the tests may have a network, and a list of resolvers, of its own."""
_LOOKING = threading.Lock()


def run_module(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a module of the collection, which runs in the namespaces of the calling thread.

    Its arguments are read from a file, as Ansible gives them.
    """
    namespaces = tuple(str(Path("/proc/thread-self/ns", kind).readlink()) for kind in ("net", "mnt"))
    with _LOOKING:
        if namespaces not in _SERVERS:
            _SERVERS[namespaces] = ModuleServer()
    return _result(_SERVERS[namespaces].run(name, arguments))


class RunFailed(Exception):
    """A module said that it failed."""


def halting_module(server: ModuleServer, name: str, arguments: dict[str, Any], folder: str) -> Iterator[str]:
    """Run a module that waits before each of its steps below a folder, and give the steps. Raises RunFailed."""
    result = _result((yield from server.halting(name, arguments, folder)))
    if result.get("failed"):
        raise RunFailed(result["msg"])


def _result(said: dict[str, str]) -> dict[str, Any]:
    assert said["stdout"].startswith("\n{"), said["stdout"] + said["stderr"]
    result: dict[str, Any] = json.loads(said["stdout"])
    return result
