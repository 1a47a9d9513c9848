# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records while two processes write to the same server at once: what is lost is judged by what it holds.

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from authoritative_server import AuthoritativeServer

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import SetKeepsChanging
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

CHANGES = 100
WRITERS = ("anna", "berta")
# So many records of its own does each writer put into the shared set, in turns.
OWN_RECORDS = 7

Record = tuple[int, str]


def record(writer: str, number: int) -> Record:
    return number, f"{writer}{number}.example.org"


def step(writer: str, number: int) -> tuple[str, Record]:
    """Give the change that a writer makes in its turn: it adds all of its records, removes them, and so on."""
    return ("present", "absent")[number // OWN_RECORDS % 2], record(writer, number % OWN_RECORDS)


def write_shared_set(params: dict[str, Any], writer: str) -> tuple[set[Record], int]:
    """Change one's own records in a set a hundred times; give what must be left of them, and how often it failed."""
    left: set[Record] = set()
    failed = 0
    for number in range(CHANGES):
        state, (preference, exchange) = step(writer, number)
        wish = {**params["record_sets"][0], "state": state, "mx": [{"preference": preference, "exchange": exchange}]}
        try:
            publish_mx_records({**params, "record_sets": [wish]}, False)
        except SetKeepsChanging:
            failed += 1
            continue
        (left.add if state == "present" else left.discard)((preference, exchange))
    return left, failed


def write_own_set(params: dict[str, Any], writer: str) -> list[Record]:
    """Replace a set of one's own a hundred times, and give what must be left."""
    for number in range(CHANGES):
        wish = {**params["record_sets"][0], "name": f"{writer}.example.com"}
        wish["mx"] = [{"preference": number, "exchange": f"{writer}.example.org"}]
        assert publish_mx_records({**params, "record_sets": [wish]}, False).changed
    return [(CHANGES - 1, f"{writer}.example.org")]


def both(server: AuthoritativeServer, work: Callable[[dict[str, Any], str], Any]) -> list[Any]:
    """Let both writers work at once, each in a process of its own."""
    params = server.params({"name": "shared.example.com", "mx": []})
    with ProcessPoolExecutor(len(WRITERS), multiprocessing.get_context("fork")) as pool:
        return [future.result() for future in [pool.submit(work, params, writer) for writer in WRITERS]]


def test_two_who_change_the_same_set_a_hundred_times_each_lose_nothing(server):
    outcomes = both(server, write_shared_set)
    expected = set().union(*(left for left, _failed in outcomes))
    assert set(server.held_mx("example.com").get("shared.example.com", [])) == expected
    assert sum(failed for _left, failed in outcomes) <= CHANGES // 10


def test_two_who_change_sets_of_their_own_in_one_zone_never_disturb_each_other(server):
    outcomes = both(server, write_own_set)
    held = server.held_mx("example.com")
    assert [held[f"{writer}.example.com"] for writer in WRITERS] == outcomes
