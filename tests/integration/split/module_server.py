# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs modules for forked_module.py, each in a fork that has done its imports already.
# A line of standard input is a JSON object with a module, its arguments and its environment; the line that answers has
# its stdout and stderr. With a folder as ``halting`` the module waits before each step that changes something below it
# (killed_module.py has what that is): a line tells the step, and the module goes on when a line comes back.

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "postfix"))

from killed_module import is_step  # noqa: E402


def main() -> None:
    """Run what is asked for, until nothing more comes."""
    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))), flush=True)


def _run(module: str, arguments: dict[str, Any], environment: dict[str, str], halting: str) -> dict[str, str]:
    imported = importlib.import_module(f"ansible_collections.mailops.split_domain.plugins.modules.{module}")
    with tempfile.TemporaryDirectory() as directory:
        files = {name: Path(directory) / name for name in ("arguments", "stdout", "stderr")}
        files["arguments"].write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        process = os.fork()
        if process == 0:
            _become(imported, files, environment, halting)
        os.waitpid(process, 0)
        return {name: files[name].read_text() for name in ("stdout", "stderr")}


def _halt_before_each_step(folder: str) -> None:
    """Have this process tell each of its steps, and wait until it may take it."""

    def halt(event: str, arguments: tuple[object, ...]) -> None:
        if is_step(event, arguments, folder):
            words = f"{event} {arguments[1] if event == 'subprocess.Popen' else arguments[0]}"
            os.write(1, json.dumps({"step": words}).encode() + b"\n")
            if not os.read(0, 1):
                os._exit(1)

    sys.addaudithook(halt)


def _become(module: ModuleType, files: dict[str, Path], environment: dict[str, str], halting: str) -> None:
    """Be the module's process, to the end."""
    try:
        if halting:
            _halt_before_each_step(halting)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = [module.__name__, str(files["arguments"])]
        with files["stdout"].open("w") as sys.stdout, files["stderr"].open("w") as sys.stderr:
            try:
                module.main()
            except SystemExit:
                pass
            except BaseException:
                traceback.print_exc()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
