# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses as nobody writes them but attackers and broken programs, and what a server says to each of them at RCPT.

from __future__ import annotations

import smtplib
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from split_server import Reply, SplitServer


def without_local_part(domain: str) -> list[str]:
    return [f"@{domain}", f'""@{domain}', f"@{domain.upper()}", f"@{domain}.", f"@elsewhere.test:@{domain}"]


def ask_each(server: SplitServer, recipients: Iterable[str], client: str, user: bool = False) -> dict[str, Reply]:
    """Ask for each recipient, written as it is, in a session of its own; all at once."""
    replies: dict[str, Reply] = server.network.at(
        client, _ask_each, server, list(recipients), server.network.address(client)
    )
    return replies


def _ask_each(server: SplitServer, recipients: list[str], source: str) -> dict[str, Reply]:
    # Threads are in the network of the one that made them.
    with ThreadPoolExecutor(16) as sessions:
        replies = sessions.map(lambda recipient: _ask(server, recipient, source), recipients)
        return dict(zip(recipients, replies))


def _ask(server: SplitServer, recipient: str, source: str) -> Reply:
    with smtplib.SMTP(server.address, server.port, timeout=60, source_address=(source, 0)) as smtp:
        smtp.ehlo("client.example.org")
        smtp.mail("sender@example.org")
        code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
        return Reply(code, text.decode())
