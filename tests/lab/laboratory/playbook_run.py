# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs of playbooks on the laboratory, and what each of their tasks said that it changed.
"""Runs of playbooks on the laboratory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from laboratory.description import LabError


@dataclass(frozen=True)
class PlaybookRun:
    """One run: the tasks that said ``changed``, as (host, task, item), and every task that ran."""

    changed: frozenset[tuple[str, str, str]]
    ran: frozenset[tuple[str, str, str]]


def ansible_playbook(playbook: str, *arguments: str) -> list[str]:
    """Give the command line that a user would type for a playbook."""
    return [str(Path(sys.executable).parent / "ansible-playbook"), playbook, *arguments]


def run_playbook(command: Sequence[str]) -> PlaybookRun:
    """Run a playbook by its command line; ``LabError`` with what failed where a task failed."""
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(  # noqa: S603 - the command is our own
        command, capture_output=True, text=True, check=False, env=environment
    )
    try:
        report = json.loads(done.stdout[done.stdout.index("{") :])
    except ValueError as error:
        raise LabError(f"{command[1]} did not run: {(done.stderr or done.stdout).strip()[-800:]}") from error
    results = list(_results(report))
    failures = [
        f"{host}, {task}: {result.get('msg') or result.get('reason')}"
        for host, task, _item, result in results
        if _failed(result)
    ]
    if failures or done.returncode != 0:
        raise LabError(f"{command[1]} failed: {'; '.join(failures) or done.stderr.strip()[-800:]}")
    return PlaybookRun(
        changed=frozenset((host, task, item) for host, task, item, result in results if result.get("changed")),
        ran=frozenset((host, task, item) for host, task, item, result in results if not result.get("skipped")),
    )


def _failed(result: dict[str, Any]) -> bool:
    return bool(result.get("failed") or result.get("unreachable"))


def _results(report: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for play in report["plays"]:
        for task in play["tasks"]:
            name = f"{play['play']['name']} / {task['task']['name']}"
            for host, result in task["hosts"].items():
                yield host, name, "", {**result, "changed": result.get("changed") and "results" not in result}
                for item in result.get("results", ()):
                    yield host, name, str(item.get("_ansible_item_label", item.get("item", ""))), item
