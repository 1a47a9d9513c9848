# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The speed of mx_info beside a ping task: a thousand domains in one task, known to the resolver and unknown to it.

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Any

from task_times import seconds_of_tasks

COLLECTION = Path(__file__).resolve().parents[2]
# The same servers that the tests start: one description of them, not two.
sys.path[:0] = [str(COLLECTION / "tests" / "integration" / folder) for folder in ("dns", "dns_info")]

from internet import Internet, started_internet  # noqa: E402
from zones import MAIL, Zone  # noqa: E402

NAMES = 1000
ROUNDS = 3
# The bound: so many times a ping task, and so many seconds more.
TIMES_PING = 1.5
SECONDS_MORE = 2.0
HOSTER = Zone("hoster.xa", "@ MX 10 mail\n")


def rows() -> list[dict[str, object]]:
    """Give one row for each measurement: name, our seconds, the reference and its seconds, their ratio and its limit.

    A limit of None marks a comparison that is shown and has no bound.
    """
    hosted = [Zone(f"d{number}.xa", "", servers_of=HOSTER) for number in range(ROUNDS * NAMES)]
    alone = [Zone(f"d{number}.xa", "@ MX 10 mail\n@ MX 20 mail2\n") for number in range(ROUNDS * NAMES)]
    of_hoster, of_many = _seconds([HOSTER, *hosted]), _seconds(alone)
    ping = median([*of_hoster["ping"], *of_many["ping"]])
    bound = TIMES_PING + SECONDS_MORE / ping
    again, first = median(of_hoster["again"]), median(of_hoster["first"])
    return [
        _row(f"mx_info, {NAMES} domains of one hoster, first run", first, ping, bound),
        _row(f"mx_info, {NAMES} domains of one hoster, again", again, ping, bound),
        _row(f"mx_info, {NAMES} domains, 4,000 hosts, first run", median(of_many["first"]), ping, None),
        _row(f"mx_info, {NAMES} domains, 4,000 hosts, again", median(of_many["again"]), ping, bound),
    ]


def _row(name: str, ours: float, ping: float, limit: float | None) -> dict[str, object]:
    return {
        "name": name,
        "ours_s": round(ours, 4),
        "reference": "ansible.builtin.ping",
        "reference_s": round(ping, 4),
        "ratio": round(ours / ping, 3),
        "limit": None if limit is None else round(limit, 3),
    }


def _seconds(zones: list[Zone]) -> dict[str, list[float]]:
    """Run all tasks in one play, each round with domains that the resolver does not know yet, and then does."""
    domains = [zone.name for zone in zones if zone is not HOSTER]
    with started_internet(zones, {}) as internet:
        tasks: list[dict[str, Any]] = [{"name": "warm up", "ansible.builtin.ping": {}}]
        for number in range(ROUNDS):
            look_up = {"mailops.split_domain.mx_info": _options(internet, f"{{{{ round_{number} }}}}")}
            for name in ("first", "again"):
                tasks += [{"name": "ping", "ansible.builtin.ping": {}}, {"name": name, **look_up}]
        variables = {f"round_{number}": domains[number * NAMES :][:NAMES] for number in range(ROUNDS)}
        return seconds_of_tasks(tasks, variables)


def _options(internet: Internet, names: str) -> dict[str, Any]:
    return {
        "names": names,
        "own_addresses": [MAIL],
        "resolver": [internet.resolver.address],
        "resolver_port": internet.resolver.port,
    }


def main() -> int:
    """Print the rows and tell by the exit code whether one is beyond its limit."""
    measured = rows()
    for row in measured:
        print(row)
    return int(
        any(row["limit"] is not None and float(str(row["ratio"])) > float(str(row["limit"])) for row in measured)
    )


if __name__ == "__main__":
    sys.exit(main())
