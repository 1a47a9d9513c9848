#!/usr/bin/env python
# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The demo: one domain over two real mail servers, set up as a user would, with the mail that shows it.
"""Split example.com over two mail servers of the laboratory, send mail, and show where it went."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from laboratory.description import LAB_FOLDER, LabError
from laboratory.expectations import CLOUD, DIRECTORY, HQ, OWN_USERS, expectations
from laboratory.inventory import INVENTORY
from laboratory.machines import bring_up
from laboratory.many_messages import send_many
from laboratory.observation import observe
from laboratory.podman import CHECKOUT
from laboratory.site_run import site_command
from laboratory.table import outcome_table

MANY = 1000
PEOPLE = {
    "alice@example.com": HQ,
    "carol@example.com": HQ,
    "bob@example.com": CLOUD,
    "dave@example.com": CLOUD,
    "grace@example.com": CLOUD,
}

STORY = """
example.com has mailboxes on two mail systems:

    hq     mx1.example.com         alice, carol        receives the domain's MX traffic
    cloud  mx.cloud.example.net    bob, dave, grace

Each site forwards the recipients that it does not know to the other one, and asks before it accepts them.
"""

FURTHER = """
Look further (the servers keep running):

    edit   {folder}/example.com.csv           who lives where; hq-01@example.com to hq-40@example.com
                                                              have mailboxes at hq and wait to be added
           {folder}/group_vars/mail.yml       the split map
    apply  {command}
           (add --check --diff to see what it would change)
    see    {lab} run mx1.example.com postconf -n
           {lab} run sender.example.org swaks --to bob@example.com --server mx1.example.com
           {lab} run mx.cloud.example.net journalctl -u 'postfix*' -f
    again  make demo
    down   make lab-down
"""


def main() -> int:
    """Run the demo; 0 when every row of both tables is right."""
    print(textwrap.dedent(STORY))
    try:
        _heading("Bringing four servers up (the first time takes a minute or two: their images are built)")
        made = bring_up()
        print(f"Up; made now: {', '.join(made) or 'nothing, they were running'}.")
        wrong = _show_form(DIRECTORY, "1. One directory says where everybody lives", with_outage=True)
        wrong += _show_form(OWN_USERS, "2. Each site knows only its own users", with_outage=False)
        _heading("Back to the form with one directory, so that you can go on from there")
        _apply(DIRECTORY, quiet=True)
    except LabError as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    print(f"\n{'Every row is as expected.' if not wrong else f'{wrong} rows are WRONG, see above.'}")
    folder = _map(DIRECTORY).relative_to(CHECKOUT)
    command = (
        "ANSIBLE_COLLECTIONS_PATH=.build/collections .venv/bin/ansible-playbook mailops.split_domain.site \\\n"
        f"             -i {folder}/hosts.yml -i {INVENTORY.relative_to(CHECKOUT)}"
    )
    print(FURTHER.format(folder=folder, command=command, lab=".venv/bin/python tests/lab/lab.py"))
    return 1 if wrong else 0


def _show_form(form: str, title: str, with_outage: bool) -> int:
    """Apply one form of the split map and send its mail; give how many rows are wrong."""
    _heading(title)
    _apply(form)
    rows = [row for row in expectations(form) if with_outage or not row.stopped]
    print(f"Sending {len(rows)} messages" + (", and waiting for a server that was switched off" * with_outage) + " ...")
    outcomes = observe(rows, say=print)
    print(f"\n{outcome_table(outcomes)}\n")
    print(f"Sending {MANY} messages to random known and unknown users of both sites ...")
    account = send_many(MANY, PEOPLE, seed=MANY)
    print(f"{'ok' if account.passed else 'WRONG'}: {account}")
    return sum(not outcome.passed for outcome in outcomes) + (not account.passed)


def _apply(form: str, quiet: bool = False) -> None:
    """Run the site playbook as a user would, its output shown unless it is to be quiet."""
    command = site_command(_map(form))
    print("$ " + " ".join(_short(word) for word in command), flush=True)
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"}
    output = subprocess.PIPE if quiet else None
    done = subprocess.run(command, check=False, env=environment, stdout=output)  # noqa: S603 - our own command
    if done.returncode != 0:
        raise LabError("the site playbook failed, its output says why" + (f": {done.stdout!r}" if quiet else ""))


def _map(form: str) -> Path:
    return LAB_FOLDER / "demo" / form


def _short(word: str) -> str:
    path = Path(word)
    return str(path.relative_to(CHECKOUT)) if path.is_absolute() and path.is_relative_to(CHECKOUT) else path.name


def _heading(text: str) -> None:
    print(f"\n{text}\n{'=' * len(text)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
