#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The proofs that Molecule's scenarios ask for, each a command that fails when its promise does not hold.
"""Prove on the laboratory's servers what the collection promises."""

from __future__ import annotations

import argparse
import json
import secrets
import sys

from laboratory.description import LabError, lab_description
from laboratory.drifts import ROUNDS, TABLES
from laboratory.expectations import CLOUD, DOMAIN, FORMS, HQ, expectations
from laboratory.logs import mark_log, mx_lookups_since, reloads_since
from laboratory.machines import host_states
from laboratory.many_messages import known_recipients, send_many
from laboratory.moving import prove_move
from laboratory.observation import observe
from laboratory.podman import STATE_FOLDER, run_in
from laboratory.publication import prove_exchanges
from laboratory.queues import queues
from laboratory.restarting import prove_restart
from laboratory.server_files import differences, postfix_files
from laboratory.site_run import map_folder, run_site
from laboratory.table import outcome_table

REMEMBERED = STATE_FOLDER / "postfix-before.json"
MANY = 1000


def prove_mail(form: str) -> list[str]:
    """Send the mail of every row and a thousand random messages; give what went wrong."""
    name_server = lab_description().name_server.name
    mark = mark_log(name_server)
    outcomes = observe(expectations(form), say=print)
    print(outcome_table(outcomes))
    seed = secrets.randbelow(10**6)
    account = send_many(MANY, known_recipients(), seed)
    print(f"{MANY} messages to random users of both sites (seed {seed}): {account}")
    faults = [f"{outcome.row.who} to {outcome.row.recipient}: {outcome.happened}" for outcome in outcomes]
    faults = [fault for fault, outcome in zip(faults, outcomes) if not outcome.passed]
    addresses = {state.name: state.address for state in host_states()}
    for site in (HQ, CLOUD):
        asked = mx_lookups_since(name_server, mark, addresses[site], DOMAIN)
        print(f"{site} asked for the MX records of {DOMAIN} {asked} times")
        if asked:
            faults.append(f"{site} looked up the MX records of {DOMAIN}, which its relays make needless")
    return [*faults, *account.faults]


def prove_quiet(form: str) -> list[str]:
    """Run the playbook again on servers that are up to date; give what it touched."""
    marks = {host: mark_log(host) for host in (HQ, CLOUD)}
    before = {host: postfix_files(host, times=True) for host in (HQ, CLOUD)}
    run = run_site(map_folder(form))
    faults = [f"the second run changed something: {', '.join(change)}" for change in sorted(run.changed)]
    for host, mark in marks.items():
        faults += [
            f"the second run touched {host}: {line}" for line in differences(before[host], postfix_files(host, True))
        ]
        if reloads_since(host, mark):
            faults.append(f"the second run reloaded Postfix on {host}")
    print(f"The second run: {len(run.ran)} tasks, {len(run.changed)} changes.")
    return faults


def prove_repair(form: str) -> list[str]:
    """Let the servers drift; check mode has to predict the repair, and the repair has to last and to deliver mail."""
    faults = []
    for drifts in ROUNDS:
        good = {host: _settings(host) for host in (HQ, CLOUD)}
        for drift in drifts:
            print(f"{drift.host}: {drift.words}")
            drift.apply()
        drifted = {host: postfix_files(host, times=True) for host in (HQ, CLOUD)}
        predicted = run_site(map_folder(form), "--check").changed
        for host in (HQ, CLOUD):
            touched = differences(drifted[host], postfix_files(host, times=True))
            faults += [f"check mode touched {host}: {line}" for line in touched]
        done = run_site(map_folder(form)).changed
        faults += [f"check mode did not predict a change: {', '.join(one)}" for one in sorted(done - predicted)]
        faults += [f"check mode predicted no change: {', '.join(one)}" for one in sorted(predicted - done)]
        faults += [f"not repaired on {drift.host}: {drift.words}" for drift in drifts if not _on(drift.host, done)]
        again = run_site(map_folder(form)).changed
        faults += [f"the repair does not last: {', '.join(one)}" for one in sorted(again)]
        for host in (HQ, CLOUD):
            left = differences(good[host], _settings(host))
            faults += [f"after the repair {host} is not what it was: {line}" for line in left]
        print(f"  check mode predicted {len(predicted)} changes, the run made {len(done)}, a second run {len(again)}")
    outcomes = observe([row for row in expectations(form) if not row.stopped])
    print(outcome_table(outcomes))
    return faults + [f"after the repairs: {outcome.happened}" for outcome in outcomes if not outcome.passed]


def remember(_form: str) -> list[str]:
    """Keep what /etc/postfix of each server is before the split."""
    before = {host: postfix_files(host) for host in (HQ, CLOUD)}
    REMEMBERED.write_text(json.dumps(before), encoding="utf-8")
    return [f"{host} is split already: make it anew (lab.py reset)" for host in before if TABLES in before[host]]


def prove_given_back(_form: str) -> list[str]:
    """Compare /etc/postfix with what it was before the split; give the differences."""
    faults = []
    for host, before in json.loads(REMEMBERED.read_text(encoding="utf-8")).items():
        if not before:
            print(f"{host} had no Postfix before; there is nothing to compare with")
            continue
        found = differences(before, postfix_files(host))
        print(f"{host}: {len(before)} files and folders, {len(found)} differences")
        faults += [f"{host} was not given back byte for byte: {line}" for line in found]
    faults += [f"a message still waits at {entry.host}: {entry}" for entry in queues()]
    return faults


PROOFS = {
    "mail": prove_mail,
    "quiet": prove_quiet,
    "exchanges": prove_exchanges,
    "move": prove_move,
    "repair": prove_repair,
    "restart": prove_restart,
    "remember": remember,
    "given-back": prove_given_back,
}


def main() -> int:
    """Run one proof; 0 when it holds, 1 with one line for each fault when it does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", choices=PROOFS)
    parser.add_argument("form", choices=FORMS, help="with one directory of all users, or each site with its own users")
    arguments = parser.parse_args()
    try:
        faults = PROOFS[arguments.proof](arguments.form)
    except LabError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"WRONG: {fault}")
    print(f"{arguments.proof}: {'holds' if not faults else f'{len(faults)} faults'}")
    return 1 if faults else 0


def _on(host: str, changes: frozenset[tuple[str, str, str]]) -> bool:
    return any(change[0] == host for change in changes)


def _settings(host: str) -> dict[str, str]:
    """Give what matters of Postfix's files: indexes and the layout of main.cf may come out of a repair otherwise."""
    parameters = dict(line.split(" =", 1) for line in run_in(host, "postconf", "-n").out.splitlines())
    files = {path: text for path, text in postfix_files(host).items() if not path.endswith((".lmdb", "/main.cf"))}
    dump = 'for index in *.lmdb; do echo "$index"; postmap -s "lmdb:${index%.lmdb}" | sort; done'
    return {**files, **parameters, "the entries of an index": run_in(host, "sh", "-c", f"cd {TABLES}; {dump}").out}


if __name__ == "__main__":
    sys.exit(main())
