# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the server that stands in for broken mail servers: it must leave nothing behind for the tests after it.

from __future__ import annotations

import socket
import time

import pytest
from smtp_wire_server import WireServer


def test_a_closed_server_takes_no_connection_any_more() -> None:
    server = WireServer()
    socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
    # Time enough to wait for the next one.
    time.sleep(0.2)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5).close()
