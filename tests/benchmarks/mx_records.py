# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The speed of mx_records beside a ping task, community.general.nsupdate in a loop and one nsupdate batch.

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from task_times import seconds_of_tasks

COLLECTION = Path(__file__).resolve().parents[2]
# The same named that the tests start: one description of it, not two.
sys.path.insert(0, str(COLLECTION / "tests" / "integration" / "dns"))

from named_server import SECRETS, WRITABLE, WRITER, Named, Zone, started_named  # noqa: E402

NAMES = 1000
LOOPED_NAMES = 10
ROUNDS = 5
ZONE = "example.com"
# The bound: so many times a ping task, and so many seconds more.
TIMES_PING = 1.5
SECONDS_MORE = 1.0


def rows() -> list[dict[str, object]]:
    """Give one row for each measurement: name, our seconds, the reference and its seconds, their ratio and its limit.

    A limit of None marks a comparison that is shown and has no bound.
    """
    with started_named({ZONE: Zone(policy=WRITABLE)}) as named:
        took = _seconds_of_tasks(named)
        batch = _seconds_of_batch(named)
    ping, first, unchanged = (median(took[name]) for name in ("ping", "first", "unchanged"))
    looped = median(took["looped"]) / LOOPED_NAMES
    bound = TIMES_PING + SECONDS_MORE / ping
    return [
        _row(f"mx_records, {NAMES} names, first run", first, "ansible.builtin.ping", ping, bound),
        _row(f"mx_records, {NAMES} names, unchanged", unchanged, "ansible.builtin.ping", ping, bound),
        _row(
            "mx_records, one name of them", first / NAMES, "community.general.nsupdate in a loop, one name", looped, 1.0
        ),
        _row(f"mx_records, {NAMES} names, first run", first, "one nsupdate batch, no Ansible around it", batch, None),
    ]


def _row(name: str, ours: float, reference: str, theirs: float, limit: float | None) -> dict[str, object]:
    return {
        "name": name,
        "ours_s": round(ours, 4),
        "reference": reference,
        "reference_s": round(theirs, 4),
        "ratio": round(ours / theirs, 3),
        "limit": None if limit is None else round(limit, 3),
    }


def _seconds_of_tasks(named: Named) -> dict[str, list[float]]:
    """Run all tasks in one play, round by round, and give the seconds that each kind of task took."""
    tasks: list[dict[str, Any]] = [{"name": "warm up", "ansible.builtin.ping": {}}]
    for number in range(ROUNDS):
        publish = _mx_records(named, f"{{{{ round_{number} }}}}")
        tasks += [
            {"name": "ping", "ansible.builtin.ping": {}},
            {"name": "first", "mailops.split_domain.mx_records": publish},
            {"name": "ping", "ansible.builtin.ping": {}},
            {"name": "unchanged", "mailops.split_domain.mx_records": publish},
        ]
    tasks.append(_looped(named))
    variables = {f"round_{number}": _record_sets(number) for number in range(ROUNDS)}
    return seconds_of_tasks(tasks, variables, ("first", "looped"))


def _record_sets(number: int) -> list[dict[str, Any]]:
    return [
        {"name": f"r{number}-n{name}.{ZONE}", "mx": [{"preference": 10, "exchange": f"mx1.{ZONE}"}]}
        for name in range(NAMES)
    ]


def _mx_records(named: Named, record_sets: str) -> dict[str, Any]:
    return {
        "server": named.address,
        "port": named.port,
        "key_name": WRITER,
        "key_secret": SECRETS[WRITER],
        "record_sets": record_sets,
    }


def _looped(named: Named) -> dict[str, Any]:
    return {
        "name": "looped",
        "community.general.nsupdate": {
            "server": named.address,
            "port": named.port,
            "key_name": WRITER,
            "key_secret": SECRETS[WRITER],
            "key_algorithm": "hmac-sha256",
            "protocol": "tcp",
            "zone": ZONE,
            "record": "{{ item }}",
            "type": "MX",
            "value": f"10 mx1.{ZONE}.",
        },
        "loop": [f"looped-{name}" for name in range(LOOPED_NAMES)],
    }


def _seconds_of_batch(named: Named) -> float:
    """Write as many names by one nsupdate batch, as often, each in its own transaction of the server."""
    took = []
    for number in range(ROUNDS):
        lines = [f"update add batch{number}-{name}.{ZONE} 3600 MX 10 mx1.{ZONE}." for name in range(NAMES)]
        started = time.perf_counter()
        named.nsupdate(f"zone {ZONE}", *lines)
        took.append(time.perf_counter() - started)
    return median(took)


def main() -> int:
    """Print the rows and tell by the exit code whether one is beyond its limit."""
    measured = rows()
    for row in measured:
        limit = "no limit" if row["limit"] is None else f"limit {row['limit']}"
        print(
            f"{row['name']}: {row['ours_s']} s; {row['reference']}: {row['reference_s']} s; "
            f"ratio {row['ratio']} ({limit})"
        )
    return int(
        any(row["limit"] is not None and float(str(row["ratio"])) > float(str(row["limit"])) for row in measured)
    )


if __name__ == "__main__":
    sys.exit(main())
