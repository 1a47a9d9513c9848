# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Many tasks in one ansible-playbook run on this machine, each with its own result.

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def run_tasks(folder: Path, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run tasks as a user's playbook in ``folder`` does, on and after failures; return their results in order."""
    registered = [
        {"name": f"Task {number}", **task, "register": f"result_{number}", "ignore_errors": True}
        for number, task in enumerate(tasks)
    ]
    results = "{{ [" + ", ".join(f"result_{number}" for number in range(len(tasks))) + "] | to_json }}"
    keep = {
        "name": "Keep the results",
        "ansible.builtin.copy": {"dest": str(folder / "results.json"), "content": results, "mode": "0600"},
    }
    # The implicit localhost, with the very Python that runs the tests.
    play = {"name": "Tasks", "hosts": "localhost", "gather_facts": False, "tasks": [*registered, keep]}
    (folder / "playbook.yml").write_text(json.dumps([play]))
    collections = next(path for path in map(Path, sys.path) if (path / "ansible_collections/mailops").is_dir())
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "playbook.yml"],
        cwd=folder,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_LOCALHOST_WARNING": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    loaded: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())
    return loaded
