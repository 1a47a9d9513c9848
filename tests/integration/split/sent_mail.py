# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages that are sent through the tests' servers, and what the servers' logs say became of them.

from __future__ import annotations

import re
import smtplib
import time
from collections.abc import Callable

from split_server import SplitServer

# A transport that takes every message and says so in the log.
DISCARDED = "discard:here"
PATIENCE = 60


def send(server: SplitServer, recipient: str, client: str | None = None, options: tuple[str, ...] = ()) -> None:
    """Hand a message to a server, from a host of the network or from the server's own."""
    host = client or server.host

    def speak() -> None:
        source = (server.network.address(host), 0)
        with smtplib.SMTP(server.address, server.port, timeout=30, source_address=source) as smtp:
            smtp.sendmail("sender@example.org", [recipient], "Subject: a test\r\n\r\nHello\r\n", list(options))

    server.network.at(host, speak)


def delivered(server: SplitServer, recipient: str) -> int:
    """Return how often a server has delivered a recipient's mail by DISCARDED."""
    return len(re.findall(rf"to=<{re.escape(recipient)}>.*relay=none, .*status=sent \(here", server.log()))


def wait_until(is_so: Callable[[], bool], server: SplitServer) -> None:
    """Wait for what is bound to happen; a server's log tells why it did not."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)
