# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Addresses without a local part, asked for at every server of a topology: each gets a final no.
"""Addresses in odd forms, which no story needs to name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from laboratory.expectations import OUTSIDE
from laboratory.podman import run_in
from laboratory.sending import ask

FORMS = ("<@{}>", '<""@{}>', "<@{}.>", "<@elsewhere.test:@{}>")
FINAL = 5


def places(split_domains: Sequence[Mapping[str, Any]], hosts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give each server with each domain that it has a site of, other names of the domain included."""
    for entry in split_domains:
        for name in (entry["domain"], *entry.get("alias_domains", ())):
            for site in entry["sites"]:
                yield from ((host, name.encode("idna").decode()) for host in site.get("hosts", ()) if host in hosts)


def taken_without_local_part(split_domains: Sequence[Mapping[str, Any]], hosts: Sequence[str]) -> list[str]:
    """Ask as a stranger and as a user of the server; give one line for each answer that is not a final no."""
    faults = []
    asked = 0
    for host, domain in places(split_domains, hosts):
        # Postfix itself takes such an address for its MAILER-DAEMON there.
        if domain in run_in(host, "postconf", "-xh", "mydestination").out.replace(",", " ").split():
            continue
        for client, server in ((OUTSIDE, host), (host, "localhost")):
            for form in FORMS:
                recipient = form.format(domain)
                reply = ask(client, server, recipient)
                asked += 1
                if reply.code // 100 != FINAL:
                    faults.append(f"{client} to {recipient} at {server}: {reply.code} {reply.text}, and not a final no")
    print(f"\n{asked} questions for addresses without a local part, {len(faults)} without a final no")
    return faults
