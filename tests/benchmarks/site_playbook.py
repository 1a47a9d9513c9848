# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The speed of an unchanged run of the playbook site beside a ping of the same hosts.

from __future__ import annotations

from playbook_runs import COLLECTION, ROUNDS, Row, best_of, bring_up_lab, row, seconds_of_play, seconds_of_playbook

SPLIT_MAP = COLLECTION / "tests" / "lab" / "maps" / "directory"
SITE = ["mailops.split_domain.site", "-i", str(SPLIT_MAP)]


def rows() -> list[Row]:
    """Give the one row: everything in order, checked once more."""
    bring_up_lab()
    for changed in (True, False):
        try:
            seconds_of_playbook(SITE, changed)
        except RuntimeError:
            # The servers were in order already, or have been brought into it; what counts is the last run.
            seconds_of_playbook(SITE, changed=False)
    best = best_of(
        ROUNDS,
        {
            "ping": lambda: seconds_of_play({"hosts": "all", "tasks": [{"ansible.builtin.ping": {}}]}, changed=False),
            "site": lambda: seconds_of_playbook(SITE, changed=False),
        },
    )
    return [
        row("site.yml, unchanged, the laboratory", best["site"], "ansible.builtin.ping, same hosts", best["ping"], 4.0)
    ]
