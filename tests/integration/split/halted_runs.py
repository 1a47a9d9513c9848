# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs that are halted before each of their steps:
# what a kill there would leave is looked at while the server runs, and repaired later, from a copy of the files.

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forked_module import ModuleServer, RunFailed, halting_module
from killed_runs import LONG_FORM, answers
from split_server import SplitServer

# The run of one program that changes what the server says, without a file of its configuration.
RELOAD = "'reload'"
__all__ = ["Halting", "RunFailed", "halting", "interrupt_everywhere"]
# A table of many is written in the same steps as the one before it, so that not each of them is looked at every time.
FIRST, STRIDE = 6, 9


@dataclass(frozen=True)
class Halting:
    """Runs of modules on one server that halt; copies of its configuration stand in a folder."""

    server: SplitServer
    modules: ModuleServer
    folder: Path

    def moments(self, module: str, **arguments: Any) -> Iterator[str]:
        """Run a module to its end; name each moment in which a kill leaves what it did not leave at the one before.

        Raises RunFailed with the message of a module that fails.
        """
        given = {**arguments, "config_directory": str(self.server.config), "_ansible_diff": True}
        known, reloads = "", 0
        for number, step in enumerate(halting_module(self.modules, module, given, str(self.server.config))):
            # After a reload, the same files are answered by otherwise.
            state = f"{digest_of(self.server.config)} {reloads}"
            reloads += RELOAD in step
            if state != known:
                known = state
                yield f"halted before step {number} of {module}, {step[:200]}"

    def kept(self) -> Path:
        """Copy the configuration as it is now; return where the copy stands."""
        copy = Path(tempfile.mkdtemp(dir=self.folder)) / "config"
        shutil.copytree(self.server.config, copy, symlinks=True)
        return copy

    def bring_back(self, copy: Path) -> None:
        """Have the configuration on the server, which does not run, as it was."""
        shutil.rmtree(self.server.config)
        shutil.copytree(copy, self.server.config, symlinks=True)


@contextmanager
def halting(server: SplitServer) -> Iterator[Halting]:
    """Give runs that halt on a server."""
    modules = server.network.at(server.host, ModuleServer)
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield Halting(server, modules, Path(folder))
    finally:
        modules.end()


def interrupt_everywhere(
    server: SplitServer, look: Callable[[str], object], module: str, **arguments: Any
) -> dict[str, str]:
    """Run a module that halts wherever a kill would leave something else, and look; then repair what each kill leaves.

    Return what the server says when the run has come to its end, which is what it says after each repair, too. That is
    seen of some of the moments (``is_chosen``), and of all of them in the long form of the tests.
    """
    with halting(server) as runs:
        left = []
        for number, moment in enumerate(runs.moments(module, **arguments)):
            if is_chosen(number, moment):
                look(moment)
                left.append((moment, runs.kept()))
        wanted = answers(server)
        server.stop()
        for moment, copy in left:
            runs.bring_back(copy)
            repaired = server.run(module, **arguments)
            assert not repaired.get("failed"), f"{moment}: {repaired['msg']}"
            assert answers(server) == wanted, moment
        server.start()
    assert len(left) > 3, "the run had hardly a step"
    return wanted


def is_chosen(number: int, moment: str) -> bool:
    """Tell whether a moment of a run is looked at: all of the first ones and of main.cf, and some of the others."""
    return bool(os.environ.get(LONG_FORM)) or number < FIRST or number % STRIDE == 0 or ".main.cf.new" in moment


def digest_of(folder: Path) -> str:
    """Return a digest of all that a folder holds: names, contents, owners and modes."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{path}\0{status.st_mode}\0{status.st_uid}\0{status.st_gid}\0{status.st_size}\0".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()
