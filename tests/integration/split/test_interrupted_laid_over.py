# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of SIGKILL while a split is laid over domains that are there: at no step is one of their users refused.

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from halted_runs import interrupt_everywhere
from killed_runs import answers, is_taken_or_deferred
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
    before = answers(running)
    look = partial(check_own_users, running)
    interrupt_everywhere(running, look, "split_domains", domains=[split("example.com"), split("example.org")])
    assert interrupt_everywhere(running, look, "split_domains", domains=[], purge=True) == before


def test_one_domain_can_go_while_another_comes_and_be_killed_anywhere(running: SplitServer) -> None:
    wishes = [[split("example.com"), split("example.org")], [split("example.net")]]
    running.split(*wishes[0], purge=True)
    look = partial(check_own_users, running)
    for domains in wishes[::-1]:
        interrupt_everywhere(running, look, "split_domains", domains=domains, purge=True)
        check_own_users(running, "in the end")
