# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of routing modes share: a network, a server in it, and how email_routing is run on a server.

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import split_network
from split_network import Network
from split_server import SplitServer, configured_server


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    if os.geteuid() != 0:
        pytest.skip("only root can make a network and run a Postfix in it")
    with split_network.network() as made:
        yield made


@pytest.fixture
def server(network: Network) -> Iterator[SplitServer]:
    """A configured server that does not run yet."""
    with configured_server(network, "hq") as configured:
        yield configured
