# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what kills leave at the steps of a change of modes:
# no listed recipient is refused for it, and the next run repairs.

from __future__ import annotations

from functools import partial
from typing import Any

from halted_runs import interrupt_everywhere
from killed_runs import answers, is_taken_or_deferred
from routing_runs import NO_RESOLVER, route
from split_server import SplitServer

ANN = "ann@example.com"
COMES_AND_GOES: dict[str, Any] = {"domain": "example.org", "recipients": ["eve@example.org"]}
# One domain is taken here throughout, first for itself and then for another; others come, change and go beside it.
WISHES: list[list[dict[str, Any]]] = [
    [
        {"domain": "example.com", "mode": "local", "recipients": [ANN], "call_ahead": False},
        {**COMES_AND_GOES, "mode": "remote"},
        {"domain": "third.example", "state": "absent"},
    ],
    [
        {"domain": "example.com", "mode": "backup", "recipients": [ANN, "bob@example.com"], "queue_lifetime": "9d"},
        {**COMES_AND_GOES, "mode": "local"},
        {"domain": "third.example", "mode": "remote"},
    ],
]
NAT = {"own_addresses": ["203.0.113.77"], **NO_RESOLVER}


def look_at(server: SplitServer, moment: str) -> None:
    """The server's other mail is not disturbed, and nobody may relay through it."""
    check = server.command("postfix", "check")
    assert (check.returncode, check.stderr) == (0, ""), moment
    assert server.ask("carl@example.net").code == 250, moment
    assert server.ask("someone@elsewhere.invalid").code == 554, moment


def test_a_change_of_modes_can_be_killed_anywhere(server: SplitServer) -> None:
    server.start()
    wanted = []
    for wish in (*WISHES, WISHES[0]):
        route(server, *wish, **NAT)
        wanted.append(answers(server))
    assert wanted.pop() == wanted[0]

    def look(moment: str) -> None:
        look_at(server, moment)
        assert is_taken_or_deferred(server, ANN), moment

    for wish, after in zip(WISHES[::-1], wanted[::-1]):
        assert interrupt_everywhere(server, look, "email_routing", domains=wish, **NAT) == after


def test_the_first_mode_and_the_last_can_be_killed_anywhere(server: SplitServer) -> None:
    server.start()
    gone = [{"domain": entry["domain"], "state": "absent"} for entry in WISHES[1]]
    before = answers(server)
    look = partial(look_at, server)
    interrupt_everywhere(server, look, "email_routing", domains=WISHES[1], **NAT)
    assert interrupt_everywhere(server, look, "email_routing", domains=gone) == before
