# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The seconds that each task of a play took, as Ansible itself measures them.

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

COLLECTION = Path(__file__).resolve().parents[2]


def seconds_of_tasks(
    tasks: Sequence[Mapping[str, Any]], variables: Mapping[str, Any], changing: Collection[str] = ()
) -> dict[str, list[float]]:
    """Run tasks on this machine in one play and give the seconds that those of each name took.

    Raises RuntimeError when one fails, or when others than those named ``changing`` change something, or these do not:
    what is measured must be what it is called.
    """
    play = [{"hosts": "localhost", "gather_facts": False, "vars": variables, "tasks": tasks}]
    with tempfile.TemporaryDirectory() as folder:
        playbook = Path(folder) / "play.yml"
        playbook.write_text(json.dumps(play), encoding="utf-8")
        environment = {
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTION / ".build" / "link"),
            **os.environ,
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        }
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), playbook],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode != 0:
        raise RuntimeError(f"the play of the benchmark failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    took: dict[str, list[float]] = {}
    for task in json.loads(done.stdout)["plays"][0]["tasks"]:
        name, duration = task["task"]["name"], task["task"]["duration"]
        if task["hosts"]["localhost"]["changed"] is not (name in changing):
            raise RuntimeError(f"the task {name!r} did not do what it is measured for")
        took.setdefault(name, []).append(_moment(duration["end"]) - _moment(duration["start"]))
    return took


def _moment(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
