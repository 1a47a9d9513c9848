# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The speed of recipient_routes with 100,000 addresses beside a ping, and beside copy and postmap of the same table.

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from playbook_runs import ROUNDS, Row, best_of, bring_up_lab, row, seconds_of_play

ADDRESSES = 100_000
# A server that has Postfix, and a domain that nobody sends mail to.
SERVER = "mx.cloud.example.net"
DOMAIN = "benchmark.example.com"
RELAY = "mx1.example.com:25"
THEIR_TABLE = "/etc/postfix/benchmark"


def rows() -> list[Row]:
    """Give one row for the first run, for one that changes nothing, and for one that changes one address."""
    bring_up_lab()
    with tempfile.TemporaryDirectory() as folder:
        directory, table = Path(folder) / "directory.csv", Path(folder) / "table"
        sites = ["here" if number % 2 else "there" for number in range(ADDRESSES)]
        _write(directory, table, sites)
        ours = _play({"mailops.split_domain.recipient_routes": _routes(directory)})
        nothing = _play({"mailops.split_domain.recipient_routes": {"domain": DOMAIN, "routes": [], "state": "exact"}})
        theirs = _play(
            {"ansible.builtin.copy": {"src": str(table), "dest": THEIR_TABLE, "mode": "0644"}},
            {"ansible.builtin.command": {"argv": ["postmap", f"lmdb:{THEIR_TABLE}"]}},
        )
        forget = _play({"ansible.builtin.shell": f"rm -f {THEIR_TABLE} {THEIR_TABLE}.lmdb"})

        def first_run() -> float:
            seconds = seconds_of_play(ours, changed=True)
            seconds_of_play(nothing, changed=True)
            return seconds

        def copy_and_postmap() -> float:
            seconds = seconds_of_play(theirs, changed=True)
            seconds_of_play(forget, changed=True)
            return seconds

        def one_changed() -> float:
            sites[0] = "there" if sites[0] == "here" else "here"
            _write(directory, table, sites)
            return seconds_of_play(ours, changed=True)

        # A run that was killed may have left its routes.
        seconds_of_play(nothing, changed=None)
        first = best_of(3, {"ours": first_run, "theirs": copy_and_postmap})
        seconds_of_play(ours, changed=True)
        best = best_of(
            ROUNDS,
            {
                "ping": lambda: seconds_of_play(_play({"ansible.builtin.ping": {}}), changed=False),
                "unchanged": lambda: seconds_of_play(ours, changed=False),
                "one changed": one_changed,
            },
        )
        seconds_of_play(nothing, changed=True)
    name, ping = f"recipient_routes, {ADDRESSES:,} addresses", "ansible.builtin.ping, same server"
    return [
        row(f"{name}, first run", first["ours"], "copy and postmap of the same table", first["theirs"], 1.5),
        row(f"{name}, unchanged", best["unchanged"], ping, best["ping"], 1.3),
        row(f"{name}, one changed", best["one changed"], ping, best["ping"], 1.5),
    ]


def _play(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"hosts": SERVER, "tasks": list(tasks)}


def _routes(directory: Path) -> dict[str, Any]:
    return {
        "domain": DOMAIN,
        "src": str(directory),
        "sites": {"here": "local", "there": RELAY},
        "local_transport": "lmtp:unix:private/dovecot-lmtp",
        "state": "exact",
    }


def _write(directory: Path, table: Path, sites: list[str]) -> None:
    """Write the directory as our users have it, and the transport table as others would write it by hand."""
    transports = {"here": "lmtp:unix:private/dovecot-lmtp", "there": "relay:[mx1.example.com]:25"}
    addresses = [f"user{number:06d}@{DOMAIN}" for number in range(len(sites))]
    directory.write_text(
        "address,site\n" + "".join(f"{address},{site}\n" for address, site in zip(addresses, sites)), encoding="ascii"
    )
    table.write_text(
        "".join(f"{address} {transports[site]}\n" for address, site in zip(addresses, sites)), encoding="ascii"
    )
