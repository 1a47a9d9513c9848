# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A server that delivers mail of its own domains to mailboxes, and what a test looks for in them.

from __future__ import annotations

import smtplib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from split_network import Network
from split_server import SplitServer, configured_server

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {directory}/queue
data_directory = {directory}/data
maillog_file = {directory}/log/mail.log
maillog_file_prefixes = {directory}/log
myhostname = {name}.example.net
inet_interfaces = {address}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8 {address}
smtpd_peername_lookup = no
smtp_host_lookup = native
smtp_tls_security_level = none
recipient_delimiter = +-
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_mailbox_base = {directory}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""
PATIENCE = 30


@contextmanager
def mailbox_server(network: Network, host: str, settings: str, tables: Mapping[str, str]) -> Iterator[SplitServer]:
    """Give a server with further lines of main.cf, and tables, that does not run yet."""
    with configured_server(network, host, MAIN_CF + settings) as server:
        for name, text in tables.items():
            fill(server, name, text)
        # Mailboxes of Unix users, which local(8) writes as these.
        yield server


def fill(server: SplitServer, name: str, text: str) -> None:
    """Give one of the server's own tables another text."""
    (server.config / name).write_text(text)
    program = "postalias" if name == "local_aliases" else "postmap"
    assert server.command(program, f"lmdb:{server.config / name}").returncode == 0


def send(
    server: SplitServer, recipient: str, text: str, client: str = "outside", sender: str = "sender@example.org"
) -> None:
    """Send a message, which must be taken."""
    network = server.network
    network.at(client, _send, server, (sender, recipient), text, network.address(client))


def _send(server: SplitServer, envelope: tuple[str, str], text: str, source: str) -> None:
    with smtplib.SMTP(server.address, server.port, timeout=30, source_address=(source, 0)) as smtp:
        sender, recipient = envelope
        smtp.sendmail(sender, [recipient], f"From: {sender}\nSubject: {text}\n\n{text}\n")


def arrives(server: SplitServer, mailbox: str, text: str) -> bool:
    """Tell whether a text arrives in a mailbox; a relative name is one below the mailboxes of virtual(8)."""
    path = server.directory / "mailboxes" / mailbox
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if text in holding(path):
            return True
        time.sleep(0.05)
    return False


def holding(path: Path) -> str:
    """Give what a mailbox holds."""
    return path.read_text() if path.is_file() else ""


def queue_is_empty(server: SplitServer) -> bool:
    """Wait until nothing is left in the server's queue."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if "Mail queue is empty" in server.command("postqueue", "-p").stdout:
            return True
        time.sleep(0.05)
    return False


def everything_in(server: SplitServer) -> dict[str, str]:
    """Give all mailboxes of virtual(8) with what they hold."""
    return {path.name: holding(path) for path in sorted((server.directory / "mailboxes").iterdir())}
