# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Changes that a running Postfix takes in only when it is restarted, on a server whose Postfix systemd has started.
"""The proof that Postfix is restarted through the service manager, once, and goes on with mail."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from laboratory.description import LabError
from laboratory.expectations import HQ, expectations
from laboratory.inventory import INVENTORY
from laboratory.observation import observe
from laboratory.podman import run_in
from laboratory.server_files import differences, postfix_files
from laboratory.table import outcome_table

UNIT = "postfix@-.service"
PARAMETER = "inet_protocols"


def prove_restart(form: str) -> list[str]:
    """Change what needs a restart and change it back; give what a service manager or a user would have noticed."""
    before = postfix_files(HQ)
    value = run_in(HQ, "postconf", "-h", PARAMETER).out.strip()
    runs = [_running()]
    faults = []
    for wanted, due in (("ipv4", "restart"), ("ipv4", "none"), (value, "restart")):
        result = _set(wanted)
        runs.append(_running())
        is_new = [one != other for one, other in zip(*runs[-2:])]
        print(f"{PARAMETER} = {wanted}: {result['due']}, {UNIT} has {'another' if all(is_new) else 'the same'} run")
        if result["due"] != due or is_new != [due == "restart"] * 2 or result["changed"] != (due == "restart"):
            faults.append(f"{PARAMETER} = {wanted} is due for {due}: {result}; the run before and after: {runs[-2:]}")
    faults += [f"{HQ} is not what it was: {line}" for line in differences(before, postfix_files(HQ))]
    outcomes = observe([row for row in expectations(form) if not row.stopped][:1])
    print(outcome_table(outcomes))
    return faults + [f"after the restart: {outcome.happened}" for outcome in outcomes if not outcome.passed]


def _running() -> tuple[str, str]:
    """Give systemd's name of this run of Postfix, and its process; ``LabError`` where that is not in the service."""
    shown = run_in(HQ, "systemctl", "show", "--property=ActiveState,InvocationID", UNIT).out
    state = dict(line.split("=", 1) for line in shown.splitlines())
    process = run_in(HQ, "cat", "/var/spool/postfix/pid/master.pid").out.strip()
    group = run_in(HQ, "cat", f"/proc/{process}/cgroup").out
    if state["ActiveState"] != "active" or UNIT not in group:
        raise LabError(f"systemd says of {UNIT}: {state}; the master process {process} is in {group.strip()}")
    return state["InvocationID"], process


def _set(value: str) -> dict[str, Any]:
    """Set the parameter with a task of its own; give its result."""
    command = [str(Path(sys.executable).parent / "ansible"), HQ, "--inventory", str(INVENTORY), "--one-line"]
    task = ["--module-name", "mailops.split_domain.postfix_parameters"]
    arguments = json.dumps({"parameters": {PARAMETER: value}})
    done = subprocess.run(  # noqa: S603 - the command is our own
        [*command, *task, "--args", arguments], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LabError(f"postfix_parameters failed: {(done.stdout + done.stderr).strip()[-800:]}")
    # A diff may come after it, where Ansible is told to show them always.
    result: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout.partition("=> ")[2])[0]
    return result
