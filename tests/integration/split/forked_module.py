# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a module in a process of its own that has done its imports already: the tests do it some hundred times.

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


def run_module(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a module of the collection; its arguments are read from a file, as Ansible gives them."""
    module = importlib.import_module(f"ansible_collections.mailops.split_domain.plugins.modules.{name}")
    with tempfile.TemporaryDirectory() as directory:
        files = {name: Path(directory) / name for name in ("arguments", "stdout", "stderr")}
        files["arguments"].write_text(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        process = os.fork()
        if process == 0:
            _become(module, files)
        os.waitpid(process, 0)
        said = files["stdout"].read_text()
        assert said.startswith("\n{"), said + files["stderr"].read_text()
    result: dict[str, Any] = json.loads(said)
    return result


def _become(module: ModuleType, files: dict[str, Path]) -> None:
    """Be the module's process, to the end."""
    # Whatever imported a filter before made this a process of the controller, which shows warnings and returns none.
    internal = sys.modules.get("ansible.module_utils._internal")
    if internal is not None:
        internal.is_controller = False  # type: ignore[attr-defined]
    try:
        with files["stdout"].open("w") as sys.stdout, files["stderr"].open("w") as sys.stderr:
            sys.argv = [module.__name__, str(files["arguments"])]
            try:
                module.main()
            except SystemExit:
                pass
            except BaseException:
                traceback.print_exc()
    finally:
        os._exit(0)
