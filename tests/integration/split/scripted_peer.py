# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A site that nobody manages: a real Postfix that answers for its users as it pleases, and can be told how.

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

USERS = ("cyd", "verify")
# What a mood is in main.cf, besides the usual.
MOODS = {
    "verifying": {},
    "accepting everything": {"virtual_mailbox_maps": "static:x/"},
    "blocking": {"smtpd_client_restrictions": "check_client_access static:{554 5.7.1 blocked}"},
    "blocking at the greeting": {
        "smtpd_client_restrictions": "check_client_access static:{554 5.7.1 blocked}",
        "smtpd_delay_reject": "no",
    },
    "refusing the sender": {
        "smtpd_sender_restrictions": "check_sender_access inline:{{hq.example.net = 550 5.7.1 spam}}"
    },
    "putting off": {"smtpd_client_restrictions": "defer"},
    "putting strangers off": {"unknown_virtual_mailbox_reject_code": "450"},
    "down": {},
}


@dataclass(frozen=True)
class ScriptedPeer:
    """A server with two users of example.com."""

    server: SplitServer

    @property
    def relay(self) -> dict[str, Any]:
        """Its relay, as users write it."""
        return {"host": self.server.address, "port": self.server.port}

    def become(self, mood: str, *users: str) -> None:
        """Go into a mood, with further users."""
        self.server.stop()
        usual = {
            "virtual_mailbox_domains": "example.com",
            "virtual_mailbox_maps": f"inline:{{{', '.join(f'{user}@example.com=x' for user in (*USERS, *users))}}}",
            "smtpd_client_restrictions": "",
            "smtpd_sender_restrictions": "",
            "smtpd_delay_reject": "yes",
            "unknown_virtual_mailbox_reject_code": "550",
        }
        values = [f"{name}={value}" for name, value in {**usual, **MOODS[mood]}.items()]
        assert self.server.command("postconf", *values).returncode == 0
        if mood != "down":
            assert self.server.command("postfix", "start").returncode == 0
            self.server.network.at("hq", self._wait)

    def _wait(self) -> None:
        """Wait until somebody listens, whatever the greeting."""
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((self.server.address, self.server.port), timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < deadline, self.server.log()
                time.sleep(0.02)


@contextmanager
def scripted_peer(network: Network, host: str = "cloud") -> Iterator[ScriptedPeer]:
    """Give such a site, which is down at first."""
    with configured_server(network, host, GROWN_MAIN_CF + "\n") as server:
        peer = ScriptedPeer(server)
        peer.become("down")
        yield peer
