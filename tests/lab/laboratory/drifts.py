# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Ways in which a server drifts from the split map: by hands, by half-done restores, by power cuts.
"""Drifts of a server that the next run of the site playbook has to find and repair."""

from __future__ import annotations

from dataclasses import dataclass

from laboratory.expectations import CLOUD, HQ
from laboratory.podman import run_in

TABLES = "/etc/postfix/split_domain"


@dataclass(frozen=True)
class Drift:
    """What happens to one server: in words, and as a shell script that runs in the folder of its tables."""

    host: str
    words: str
    script: str

    def apply(self) -> None:
        """Let it happen."""
        run_in(self.host, "sh", "-euc", f"cd {TABLES}\n{self.script}")


# Each round is repaired by one run. routes and mail_domains have an index; peers is read as text.
ROUNDS = (
    (
        Drift(HQ, "somebody removes virtual_mailbox_domains", "postconf -X virtual_mailbox_domains; postfix reload"),
        Drift(HQ, "somebody sends bob elsewhere", "sed -i '/^bob@/s/relay:.*/discard:/' routes; postmap lmdb:routes"),
        Drift(
            CLOUD,
            "somebody sets transport_maps back to what it was",
            "sed -i '/^transport_maps/s|=.*|= texthash:/etc/postfix/transport|' ../main.cf; postfix reload",
        ),
        Drift(CLOUD, "somebody adds a route", "echo 'mallory@example.com discard:' >> routes; postmap lmdb:routes"),
    ),
    (
        Drift(HQ, "an index is lost", "rm routes.lmdb"),
        Drift(HQ, "Postfix is stopped", "systemctl stop postfix"),
        Drift(CLOUD, "an index is cut short", "truncate -s 0 mail_domains.lmdb"),
        Drift(CLOUD, "the text of a table is lost", "rm peers"),
    ),
)
