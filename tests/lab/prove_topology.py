#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The proofs that the scenarios of topologies ask for, each a command that fails when its promise does not hold.
"""Prove on the laboratory's servers what the collection promises of one topology."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml
from laboratory.any_drifts import drifts_of
from laboratory.description import LabError
from laboratory.drifts import TABLES
from laboratory.expectations import OUTSIDE
from laboratory.logs import mark_log, reloads_since
from laboratory.machines import bring_up
from laboratory.mailboxes import ensure_mailboxes, remove_mailboxes
from laboratory.observation import observe
from laboratory.odd_addresses import taken_without_local_part
from laboratory.podman import STATE_FOLDER, run_in
from laboratory.queues import queues
from laboratory.server_files import differences, postfix_files
from laboratory.site_run import run_site
from laboratory.stories import Story, story
from laboratory.table import outcome_table

# Where a repair has something to repair that it has nowhere else: users of the server's own, several servers of a site,
# rewriting. The scenarios master_slave and routing_modes have repairs of their own, and so do the integration tests.
REPAIRED = ("existing_users", "two_servers", "subdomain")
LONG_FORM = "SPLIT_DOMAIN_LONG_FORM"


def prepare(told: Story) -> list[str]:
    """Make the servers what they are before the split, and keep what that is."""
    for host, addresses in told.mailboxes.items():
        ensure_mailboxes(host, addresses)
    for host, script in told.prepare.items():
        run_in(host, "sh", "-euc", script)
    before = {host: postfix_files(host) for host in told.hosts}
    _remembered(told).write_text(json.dumps(before), encoding="utf-8")
    return [f"{host} is split already: make it anew (lab.py reset)" for host in before if TABLES in before[host]]


def prove_mail(told: Story) -> list[str]:
    """Tell the story; give what went otherwise."""
    faults = []
    for chapter in told.chapters:
        print(f"\n{chapter.title}")
        for host, script in chapter.shell.items():
            run_in(host, "sh", "-euc", script)
        if chapter.map_folder is not None:
            faults += _run_map(chapter.map_folder, chapter.fails)
        outcomes = observe(chapter.rows, among=_places(told))
        print(outcome_table(outcomes))
        faults += [
            f"{chapter.title}: {outcome.row.who} to {outcome.row.recipient}: {outcome.happened}"
            for outcome in outcomes
            if not outcome.passed
        ]
    return faults + taken_without_local_part(_split_domains(told), told.hosts)


def prove_quiet(told: Story) -> list[str]:
    """Run the playbook again on servers that are up to date; give what it touched."""
    if any(chapter.map_folder is not None for chapter in told.chapters):
        run_site(told.folder)
    marks = {host: mark_log(host) for host in told.hosts}
    before = {host: postfix_files(host, times=True) for host in told.hosts}
    run = run_site(told.folder)
    faults = [f"the second run changed something: {', '.join(change)}" for change in sorted(run.changed)]
    for host, mark in marks.items():
        touched = differences(before[host], postfix_files(host, times=True))
        faults += [f"the second run touched {host}: {line}" for line in touched]
        if reloads_since(host, mark):
            faults.append(f"the second run reloaded Postfix on {host}")
    print(f"The second run: {len(run.ran)} tasks, {len(run.changed)} changes.")
    return faults


def prove_repair(told: Story) -> list[str]:
    """Let the servers drift; check mode has to predict the repair, and the repair has to last."""
    if told.folder.name not in REPAIRED and not os.environ.get(LONG_FORM):
        print("No repair of its own: what drifts here drifts in other topologies too (make test-all repairs it).")
        return []
    good = {host: _settings(host) for host in told.hosts}
    for drift in drifts_of(told.hosts):
        print(f"{drift.host}: {drift.words}")
        drift.apply()
    drifted = {host: postfix_files(host, times=True) for host in told.hosts}
    # Of two domains with a lost index in common, the task of either would repair it, and that of the first does.
    predicted = {change[:2] for change in run_site(told.folder, "--check").changed}
    faults = [
        f"check mode touched {host}: {line}"
        for host in told.hosts
        for line in differences(drifted[host], postfix_files(host, times=True))
    ]
    done = {change[:2] for change in run_site(told.folder).changed}
    faults += [f"check mode did not predict a change: {', '.join(one)}" for one in sorted(done - predicted)]
    faults += [f"check mode predicted no change: {', '.join(one)}" for one in sorted(predicted - done)]
    again = run_site(told.folder).changed
    faults += [f"the repair does not last: {', '.join(one)}" for one in sorted(again)]
    for host in told.hosts:
        left = differences(good[host], _settings(host))
        faults += [f"after the repair {host} is not what it was: {line}" for line in left]
    print(f"check mode predicted {len(predicted)} changes, the run made {len(done)}, a second run {len(again)}")
    return faults


def prove_given_back(told: Story) -> list[str]:
    """Take the split away, and compare /etc/postfix with what it was before; give the differences."""
    _take_back(told)
    faults = []
    for host, before in json.loads(_remembered(told).read_text(encoding="utf-8")).items():
        if not before:
            print(f"{host} had no Postfix before; there is nothing to compare with")
            continue
        found = differences(before, postfix_files(host))
        print(f"{host}: {len(before)} files and folders, {len(found)} differences")
        faults += [f"{host} was not given back byte for byte: {line}" for line in found]
    faults += [f"a message still waits at {entry.host}: {entry}" for entry in queues(_places(told))]
    for host, addresses in told.mailboxes.items():
        remove_mailboxes(host, addresses)
    if told.prepare:
        bring_up(told.prepare)
    return faults


PROOFS = {
    "prepare": prepare,
    "mail": prove_mail,
    "quiet": prove_quiet,
    "repair": prove_repair,
    "given-back": prove_given_back,
}


def main() -> int:
    """Run one proof; 0 when it holds, 1 with one line for each fault when it does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("topology", help="a folder of tests/lab/topologies")
    arguments = parser.parse_args()
    try:
        faults = PROOFS[arguments.proof](story(arguments.topology))
    except LabError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"WRONG: {fault}")
    print(f"{arguments.proof}: {'holds' if not faults else f'{len(faults)} faults'}")
    return 1 if faults else 0


def _run_map(folder: Path, fails: str) -> list[str]:
    """Run the playbook with the map of that folder; give what is wrong when it has to fail and does not."""
    try:
        run_site(folder)
    except LabError as error:
        if fails and fails in str(error):
            print(f"The run fails, as it has to: {fails}")
            return []
        raise
    return [f"the run had to fail with: {fails}"] if fails else []


def _places(told: Story) -> tuple[str, ...]:
    """Give all hosts where the story's mail may be."""
    return tuple(dict.fromkeys((*told.hosts, *told.mailboxes, OUTSIDE)))


def _remembered(told: Story) -> Path:
    return STATE_FOLDER / f"postfix-before-{told.folder.name}.json"


def _split_domains(told: Story) -> list[dict[str, Any]]:
    """Give the split map of a topology, as it is written."""
    variables = yaml.safe_load((told.folder / "group_vars" / "mail.yml").read_text(encoding="utf-8"))
    return list(variables["split_domains"])


def _take_back(told: Story) -> None:
    """Run the playbook with the same map, every domain of it absent."""
    absent: list[dict[str, Any]] = [{**entry, "state": "absent"} for entry in _split_domains(told)]
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"split_domains": absent}, file)
        file.flush()
        run_site(told.folder, "--extra-vars", f"@{file.name}")


def _settings(host: str) -> dict[str, str]:
    """Give what matters of Postfix's files: indexes and the layout of main.cf may come out of a repair otherwise."""
    parameters = dict(line.split(" =", 1) for line in run_in(host, "postconf", "-n").out.splitlines())
    files = {path: text for path, text in postfix_files(host).items() if not path.endswith((".lmdb", "/main.cf"))}
    return {**files, **parameters}


if __name__ == "__main__":
    sys.exit(main())
