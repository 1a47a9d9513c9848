# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of SIGKILL at every step of a change of modes: no listed recipient is refused for it, and the next run repairs.

from __future__ import annotations

from typing import Any

import pytest
from killed_runs import answers, is_taken_or_deferred, kill_at, steps
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


def check_others(server: SplitServer, step: int) -> None:
    """The server's other mail is not disturbed, and nobody may relay through it."""
    check = server.command("postfix", "check")
    assert (check.returncode, check.stderr) == (0, ""), f"step {step}"
    assert server.ask("carl@example.net").code == 250, f"step {step}"
    assert server.ask("someone@elsewhere.invalid").code == 554, f"step {step}"


def test_a_change_of_modes_can_be_killed_anywhere(server: SplitServer) -> None:
    server.start()
    wanted = []
    for wish in (*WISHES, WISHES[0]):
        route(server, *wish, **NAT)
        wanted.append(answers(server))
    assert wanted.pop() == wanted[0]
    killed = 0
    for step in steps(5):
        wish, after = WISHES[(killed + 1) % 2], wanted[(killed + 1) % 2]
        if not kill_at(server, step, "email_routing", domains=wish, **NAT):
            break
        killed += 1
        check_others(server, step)
        assert is_taken_or_deferred(server, ANN), f"step {step}"
        route(server, *wish, **NAT)
        assert answers(server) == after, f"step {step}"
    else:
        pytest.fail("the module never came to its end")
    assert killed > 2


def test_the_first_mode_and_the_last_can_be_killed_anywhere(server: SplitServer) -> None:
    server.start()
    gone = [{"domain": entry["domain"], "state": "absent"} for entry in WISHES[1]]
    before = answers(server)
    route(server, *WISHES[1], **NAT)
    after = answers(server)
    route(server, *gone)
    assert answers(server) == before
    setting_up = removing = True
    for step in steps(7):
        if setting_up:
            setting_up = kill_at(server, step, "email_routing", domains=WISHES[1], **NAT)
            check_others(server, step)
        route(server, *WISHES[1], **NAT)
        assert answers(server) == after, f"step {step} of the set-up"
        if removing:
            removing = kill_at(server, step, "email_routing", domains=gone)
            check_others(server, step)
        route(server, *gone)
        assert answers(server) == before, f"step {step} of the removal"
        if not (setting_up or removing):
            return
    pytest.fail("the module never came to its end")
