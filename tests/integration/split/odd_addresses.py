# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses in forms that few people write, as they stand in RCPT, and what a server says to each of them.

from __future__ import annotations

import smtplib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from split_server import Reply, SplitServer

SESSIONS = 16


def without_local_part(domain: str) -> list[str]:
    """Give the forms in which a domain stands alone, a comment and a source route included (RFC 5321, RFC 5322)."""
    forms = ["@{}", '""@{}', "@{}.", "(c)@{}", '(c)"" @{}', ";@{}", "@elsewhere.test:@{}"]
    return [form.format(name) for form in forms for name in (domain, domain.upper())]


def of_ann(domain: str) -> list[str]:
    """Give other ways to write the address of ann, who has a mailbox."""
    forms = ["ann@{}.", '"ann"@{}', "@a.test,@b.test:ann@{}", "@{}:ann@{}", "ann+@{}", "(c)ann@{}", "ann @{}"]
    return [form.replace("{}", name) for form in forms for name in (domain, domain.upper())]


def of_nobody(domain: str) -> list[str]:
    """Give addresses that a server might take for a key of its own tables, or for somebody else's, and nobody has."""
    forms = [
        ".@{}",
        "..@{}",
        "...@{}",
        "ann.@{}",
        '" "@{}',
        "+@{}",
        "+x@{}",
        "?{}@{}",
        '"?{}"@{}',
        "split_domain_skip@{}",
        "split_domain_skip:@{}",
        "split_domain_welcome_cloud@{}",
        "split_domain_welcome_cloud?{}@{}",
        '"relay:,nobody"@{}',
        '"a,b"@{}',
        "*@{}",
        "@{}:nobody@{}",
    ]
    return [form.replace("{}", domain) for form in forms]


def routed_on(domain: str) -> list[str]:
    """Give addresses whose local part names another place to go."""
    forms = ["ann%{}@{}", "{}!ann@{}", '"ann@{}"@{}', '"@{}"@{}', "ann%elsewhere.test@{}", "ann@{}@{}", '"@"@{}']
    forms += ['"nobody@{},relay:"@{}']
    return [form.replace("{}", domain) for form in forms]


def of_no_domain(domain: str) -> list[str]:
    """Give what is no address of any domain of a server, or no address at all."""
    forms = ["?{}", '"?{}"', "ann@?{}", "@?{}", "ann@.{}", "ann@{}..", "ann@", "@", "", '""', "ann@[192.0.2.1]"]
    return [form.replace("{}", domain) for form in forms]


def ask_each(server: SplitServer, recipients: Iterable[str], client: str) -> dict[str, Reply]:
    """Ask for each recipient just as it is written, in a session of its own, many at a time."""
    source = server.network.address(client)
    replies: dict[str, Reply] = server.network.at(client, _ask_each, server, list(recipients), source)
    return replies


def _ask_each(server: SplitServer, recipients: list[str], source: str) -> dict[str, Reply]:
    # Threads are in the network of the one that made them.
    with ThreadPoolExecutor(SESSIONS) as sessions:
        return dict(zip(recipients, sessions.map(lambda recipient: _ask(server, recipient, source), recipients)))


def _ask(server: SplitServer, recipient: str, source: str) -> Reply:
    with smtplib.SMTP(server.address, server.port, timeout=60, source_address=(source, 0)) as smtp:
        smtp.ehlo("client.example.org")
        smtp.mail("sender@example.org")
        code, text = smtp.docmd("RCPT", f"TO:<{recipient}>")
        return Reply(code, text.decode())
