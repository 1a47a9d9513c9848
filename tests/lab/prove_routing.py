#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The proofs that the scenario routing_modes asks for, each a command that fails when its promise does not hold.
"""Prove on the laboratory's servers what routing modes promise."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from laboratory.description import LabError
from laboratory.expectations import CLOUD, HQ
from laboratory.logs import mark_log, reloads_since
from laboratory.machines import start, stop
from laboratory.mailboxes import ensure_mailboxes, remove_mailboxes
from laboratory.podman import STATE_FOLDER, run_in
from laboratory.queues import queue_of, queues
from laboratory.routing import DOMAIN, SERVERS, flush, mail, run_routing, users
from laboratory.server_files import differences, postfix_files
from laboratory.waiting import wait_until

REMEMBERED = STATE_FOLDER / "postfix-before-routing.json"
# So many mailboxes of the domain on each server; the two servers have the same ones, and mail must be in one of them.
MAILBOXES = users("user", 20)
LISTED = MAILBOXES[:10]
FOUND = MAILBOXES[10:]
HELD = 200
PRIMARY_FIRST = {HQ: 10, CLOUD: 20}
# A server asks again for a recipient that it could not ask for after a minute.
ASK_SECONDS = 75.0


def remember() -> list[str]:
    """Give both servers the domain's mailboxes, and keep what /etc/postfix is before."""
    for host in SERVERS:
        ensure_mailboxes(host, MAILBOXES)
    REMEMBERED.write_text(json.dumps({host: postfix_files(host) for host in SERVERS}), encoding="utf-8")
    return []


def prove_backup() -> list[str]:
    """Stop the primary: what the backup takes, it holds, and all of it is delivered once when the primary is back."""
    faults = _change(lab_recipients=LISTED)
    lifetime = run_in(CLOUD, "postconf", "-h", "maximal_queue_lifetime").out.strip()
    faults += [] if lifetime == "2d" else [f"mail is held for {lifetime}"]
    # While the primary is up, those who are not listed are asked for.
    asked = mail(FOUND, CLOUD, retry_seconds=ASK_SECONDS)
    faults += asked.faults([250]) + asked.misdelivered([HQ])
    faults += mail([f"nobody@{DOMAIN}"], CLOUD, retry_seconds=ASK_SECONDS).faults([550], ["5.1.1"])
    stop(HQ)
    try:
        recipients = [MAILBOXES[number % len(MAILBOXES)] for number in range(HELD)]
        taken = mail(recipients, CLOUD)
        faults += taken.faults([250])
        by_mx = mail(MAILBOXES[:5], "localhost")
        faults += by_mx.faults([250])
        never_seen = mail([f"stranger-{number}@{DOMAIN}" for number in range(3)], CLOUD, retry_seconds=10)
        faults += never_seen.faults([450])
        wanted = HELD + len(by_mx.messages)
        wait_until(f"{wanted} messages wait at {CLOUD}", lambda: len(queue_of(CLOUD)) == wanted, 60.0)
        print(f"{HQ} is stopped: {len(taken.accepted)} messages taken at {CLOUD} and {len(by_mx.accepted)} by MX")
    finally:
        start(HQ)
    flush(CLOUD)
    faults += taken.misdelivered([HQ]) + by_mx.misdelivered([HQ])
    print(f"{HQ} is back: {len(taken.arrived())} and {len(by_mx.arrived())} messages in its mailboxes")
    return faults


def prove_local() -> list[str]:
    """Take and deliver here although the MX records name somebody else."""
    faults = _change(mx={HQ: 10}, lab_modes={CLOUD: "local"})
    taken = mail(MAILBOXES, CLOUD, retry_seconds=ASK_SECONDS)
    faults += taken.faults([250]) + taken.misdelivered([CLOUD])
    return faults + mail([f"nobody@{DOMAIN}"], CLOUD, retry_seconds=ASK_SECONDS).faults([550], ["5.1.1"])


def prove_remote() -> list[str]:
    """Refuse the domain from outside, and send what is submitted here to the primary exchanger."""
    faults = _change(mx={HQ: 10}, lab_modes={CLOUD: "remote"})
    faults += mail(MAILBOXES[:3], CLOUD).faults([554], ["5.7.1"])
    submitted = mail(MAILBOXES, "localhost", host=CLOUD, sender="erin@example.net")
    return faults + submitted.faults([250]) + submitted.misdelivered([HQ])


def prove_auto() -> list[str]:
    """Change the MX records and run the play again: each server is what they make of it."""
    faults = _change(mx={CLOUD: 10, HQ: 20})
    by_mx = mail(MAILBOXES, "localhost")
    faults += by_mx.faults([250]) + by_mx.misdelivered([CLOUD])
    at_backup = mail(MAILBOXES[:5], HQ, retry_seconds=ASK_SECONDS)
    faults += at_backup.faults([250]) + at_backup.misdelivered([CLOUD])
    faults += _change(mx={HQ: 10})
    faults += mail(MAILBOXES[:3], CLOUD).faults([554], ["5.7.1"])
    faults += _change(mx={HQ: 10, CLOUD: 10})
    shared = mail(MAILBOXES * 2, "localhost")
    faults += shared.faults([250]) + shared.misdelivered([HQ, CLOUD])
    share = {host: sum(copy.host == host for copy in shared.arrived()) for host in SERVERS}
    print(f"two exchangers of equal preference: {share}")
    return faults + [f"{host} got no mail of {len(shared.messages)} messages" for host in SERVERS if not share[host]]


def prove_repair() -> list[str]:
    """Let a server drift; check mode has to predict the repair, and the repair has to last."""
    faults = _change(mx=PRIMARY_FIRST)
    tables = "/etc/postfix/split_domain"
    for words, script in (
        (
            "somebody sets virtual_mailbox_domains back to what it was",
            "sed -i '/^virtual_mailbox_domains/s|=.*|= example.net|' /etc/postfix/main.cf; postfix reload",
        ),
        ("an index is lost", f"rm {tables}/mail_domains.lmdb"),
        (
            "somebody makes the domain remote by hand",
            f"cd {tables}; sed -i '/^shop/d' mail_domains; postmap mail_domains",
        ),
    ):
        print(f"{CLOUD}: {words}")
        run_in(CLOUD, "sh", "-euc", script)
        drifted = postfix_files(CLOUD, times=True)
        predicted = run_routing("--check").changed
        faults += [f"check mode touched {CLOUD}: {line}" for line in differences(drifted, postfix_files(CLOUD, True))]
        done = run_routing().changed
        faults += [] if predicted == done else [f"check mode predicted {sorted(predicted)}, a run did {sorted(done)}"]
        faults += [] if any(change[0] == CLOUD for change in done) else [f"not repaired: {words}"]
        faults += [f"the repair does not last: {change}" for change in run_routing().changed]
    at_backup = mail(MAILBOXES[:5], CLOUD, retry_seconds=ASK_SECONDS)
    return faults + at_backup.faults([250]) + at_backup.misdelivered([HQ])


def prove_given_back() -> list[str]:
    """Take the modes away; give the differences to what the servers were before."""
    run_routing(lab_state="absent")
    faults = []
    for host, before in json.loads(REMEMBERED.read_text(encoding="utf-8")).items():
        remove_mailboxes(host, MAILBOXES)
        if before:
            found = differences(before, postfix_files(host))
            print(f"{host}: {len(before)} files and folders, {len(found)} differences")
            faults += [f"{host} was not given back byte for byte: {line}" for line in found]
    return faults + [f"a message still waits at {entry.host}: {entry}" for entry in queues()]


PROOFS: dict[str, Callable[[], list[str]]] = {
    "remember": remember,
    "backup": prove_backup,
    "local": prove_local,
    "remote": prove_remote,
    "auto": prove_auto,
    "repair": prove_repair,
    "given-back": prove_given_back,
}


def main() -> int:
    """Run one proof; 0 when it holds, 1 with one line for each fault when it does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", choices=PROOFS)
    arguments = parser.parse_args()
    try:
        faults = PROOFS[arguments.proof]()
    except LabError as error:
        faults = [str(error)]
    for fault in faults:
        print(f"WRONG: {fault}")
    print(f"{arguments.proof}: {'holds' if not faults else f'{len(faults)} faults'}")
    return 1 if faults else 0


def _change(mx: dict[str, int] | None = None, **variables: object) -> list[str]:
    """Predict a run, make it, and make it again; give what check mode told wrongly and what the last run touched."""
    mx = mx or PRIMARY_FIRST
    predicted = run_routing("--check", mx=mx, **variables).changed
    done = run_routing(mx=mx, **variables).changed
    # In check mode the MX records are as before, which the modes follow.
    follows = {change for change in predicted ^ done if "Set the mode" in change[1]}
    faults = [f"check mode did not tell of {change}" for change in (predicted ^ done) - follows]
    marks = {host: mark_log(host) for host in SERVERS}
    before = {host: postfix_files(host, times=True) for host in SERVERS}
    faults += [f"a second run changed {change}" for change in run_routing(mx=mx, **variables).changed]
    for host in SERVERS:
        faults += [f"a second run touched {line}" for line in differences(before[host], postfix_files(host, True))]
        faults += [f"a second run reloaded {host}"] * reloads_since(host, marks[host])
    return faults


if __name__ == "__main__":
    sys.exit(main())
