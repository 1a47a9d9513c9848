# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Drifts that may befall any server of any split domain.
"""Drifts of any server with split domains, which the next run has to find and repair."""

from __future__ import annotations

from laboratory.drifts import Drift

_SCRIPTS = (
    ("somebody removes transport_maps", "postconf -X transport_maps; postfix reload"),
    ("an index is lost", "rm -f routes.lmdb"),
    ("somebody adds a domain's entry", "echo 'drift.example discard:' >> mail_domains; postmap lmdb:mail_domains"),
    ("the text of a table is lost", "rm peers"),
)


def drifts_of(hosts: tuple[str, ...]) -> tuple[Drift, ...]:
    """Give every kind of drift once, on one server after the other."""
    return tuple(Drift(hosts[number % len(hosts)], words, script) for number, (words, script) in enumerate(_SCRIPTS))
