# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of two sites that forward to each other and know each other by wrong addresses, as behind NAT.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

# So that mail that goes round does not do it for long. Strangers to a server are its peers as well.
FEW_HOPS = GROWN_MAIN_CF + "\nhopcount_limit = 6\n"
ELSEWHERE = ["192.0.2.77"]


@contextmanager
def strangers_to_each_other(network: Network, asking: tuple[bool, bool]) -> Iterator[tuple[SplitServer, SplitServer]]:
    """Give two running sites that forward to each other, each of which takes the other's mail for a stranger's."""
    with ExitStack() as stack:
        hq = stack.enter_context(configured_server(network, "hq", FEW_HOPS))
        cloud = stack.enter_context(configured_server(network, "cloud", FEW_HOPS))
        for server, other, name, asks in ((hq, cloud, "cloud", asking[0]), (cloud, hq, "hq", asking[1])):
            peer = {"site": name, "relay": {"host": other.address, "port": other.port}, "clients": ELSEWHERE}
            server.split({"domain": "example.com", "unknown": name, "call_ahead": asks, "peers": [peer]})
            server.start()
        hq.wait_for_smtp()
        cloud.wait_for_smtp()
        yield hq, cloud


def test_where_both_ask_first_mail_for_nobody_is_put_off_and_goes_nowhere(network: Network) -> None:
    with strangers_to_each_other(network, asking=(True, True)) as (hq, cloud):
        assert hq.ask("nobody@example.com").code == 450
        assert cloud.ask("nobody@example.com").code == 450
        for server in (hq, cloud):
            assert server.command("postqueue", "-j").stdout == ""
            # One question from each side, and the one that comes back is not asked again.
            assert server.logged("to=<nobody@example.com>, relay=") <= 2


@pytest.mark.parametrize("asking", [(False, False), (False, True)], ids=["neither asks", "one asks"])
def test_where_one_does_not_ask_mail_goes_round_which_is_why_such_a_map_is_refused(
    network: Network, asking: tuple[bool, bool]
) -> None:
    with strangers_to_each_other(network, asking) as (hq, cloud):
        hq.deliver("nobody@example.com", "round")
        for _way in range(2):
            hq.wait_for_empty_queue()
            cloud.wait_for_empty_queue()
        assert hq.logged("too many hops") + cloud.logged("too many hops") >= 1
