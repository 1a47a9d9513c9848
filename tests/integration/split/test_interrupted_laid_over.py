# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of SIGKILL while a split is laid over domains that are there: at no step is one of their users refused.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from killed_runs import answers, is_taken_or_deferred, kill_at, steps
from mailbox_server import mailbox_server
from split_network import Network
from split_server import SplitServer

SETTINGS = """\
mydestination = localhost, example.org
alias_maps =
virtual_mailbox_domains = example.com example.net
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps =
transport_maps =
"""
TABLES = {"mailboxes": "ann@example.com ann\ncarl@example.net carl\n"}
# Each of them is known by the server's own tables alone.
OWN_USERS = ("ann@example.com", "ann+news@example.com", "carl@example.net", "games@example.org")


def split(domain: str) -> dict[str, Any]:
    return {"domain": domain, "unknown": "cloud", "peers": [{"site": "cloud", "relay": {"host": "198.51.100.20"}}]}


@pytest.fixture
def running(network: Network) -> Iterator[SplitServer]:
    with mailbox_server(network, "hq", SETTINGS, TABLES) as server:
        server.start()
        yield server


def check_own_users(server: SplitServer, moment: str) -> None:
    assert server.command("postfix", "check").stderr == "", moment
    for address in OWN_USERS:
        assert is_taken_or_deferred(server, address), f"{moment}: {address}"
    assert server.ask("someone@elsewhere.test").code == 554, moment


def test_set_up_and_removal_can_be_killed_anywhere(running: SplitServer) -> None:
    domains = [split("example.com"), split("example.org")]
    before = answers(running)
    running.split(*domains)
    after = answers(running)
    running.split(purge=True)
    assert answers(running) == before
    setting_up = removing = True
    for step in steps(5):
        if setting_up:
            setting_up = kill_at(running, step, "split_domains", domains=domains)
            check_own_users(running, f"step {step} of the set-up")
        running.split(*domains)
        assert answers(running) == after, f"step {step} of the set-up"
        if removing:
            removing = kill_at(running, step, "split_domains", domains=[], purge=True)
            check_own_users(running, f"step {step} of the removal")
        running.split(purge=True)
        assert answers(running) == before, f"step {step} of the removal"
        if not (setting_up or removing):
            return
    pytest.fail("the module never came to its end")


def test_one_domain_can_go_while_another_comes_and_be_killed_anywhere(running: SplitServer) -> None:
    wishes = [[split("example.com"), split("example.org")], [split("example.net")]]
    wanted = []
    for domains in wishes:
        running.split(*domains, purge=True)
        wanted.append(answers(running))
    killed = 0
    for step in steps(5):
        domains, after = wishes[killed % 2], wanted[killed % 2]
        if not kill_at(running, step, "split_domains", domains=domains, purge=True):
            break
        killed += 1
        check_own_users(running, f"step {step}")
        running.split(*domains, purge=True)
        check_own_users(running, f"after step {step}")
        assert answers(running) == after, f"step {step}"
    else:
        pytest.fail("the module never came to its end")
    assert killed > 2
