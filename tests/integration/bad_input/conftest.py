# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of bad input share: a server on which nothing may be written, with some domains of its own.

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import split_network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

MORE = """
relay_domains = backup.example lmdb:{config}/relayed
virtual_alias_domains = {config}/alias_domains
"""


@pytest.fixture(scope="session")
def untouched() -> Iterator[SplitServer]:
    """Give a server that does not run."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a network and configure a Postfix in it")
    main_cf = GROWN_MAIN_CF.replace("mydestination =\n", "mydestination = $myhostname, local.example\n") + MORE
    with split_network.network() as network, configured_server(network, "hq", main_cf) as server:
        (server.config / "relayed").write_text("relayed.example ok\n")
        (server.config / "alias_domains").write_text("aliased.example\n")
        assert server.command("postmap", f"lmdb:{server.config}/relayed").returncode == 0
        yield server
