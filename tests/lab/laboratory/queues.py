# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The mail queues of the laboratory's hosts.
"""Mail queues: what lies in them, and having them tried or emptied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from laboratory.description import lab_description
from laboratory.podman import is_running, run_in


@dataclass(frozen=True)
class Queued:
    """One message in a queue; ``reasons`` are Postfix's words for why each recipient still waits."""

    host: str
    queue_id: str
    sender: str
    recipients: tuple[str, ...]
    reasons: tuple[str, ...]


# The sender of Postfix's questions about addresses (postconf(5), double_bounce_sender); nobody's mail is in them.
QUESTION = "double-bounce@"


def queue_of(host: str) -> list[Queued]:
    """Give the mail in the queue of a host that runs; none where Postfix is not installed (postqueue(1), option -j)."""
    command = "command -v postqueue >/dev/null || exit 0; exec postqueue -j"
    entries = [json.loads(line) for line in run_in(host, "sh", "-c", command).out.splitlines()]
    return [
        Queued(
            host=host,
            queue_id=entry["queue_id"],
            sender=entry["sender"],
            recipients=tuple(recipient["address"] for recipient in entry["recipients"]),
            reasons=tuple(recipient.get("delay_reason", "") for recipient in entry["recipients"]),
        )
        for entry in entries
        if not _is_question(entry)
    ]


def _is_question(entry: dict[str, Any]) -> bool:
    """Tell a question about an address from a notice to postmaster, which has the same sender."""
    asked = any(not recipient["address"].startswith("postmaster@") for recipient in entry["recipients"])
    return bool(entry["sender"].startswith(QUESTION)) and asked


def queues(hosts: Sequence[str] = ()) -> list[Queued]:
    """Give what lies in the queues of these hosts, or of all, as far as they run."""
    looked_at = hosts or [host.name for host in lab_description().hosts]
    return [entry for host in looked_at if is_running(host) for entry in queue_of(host)]


def flush_queue(host: str) -> None:
    """Have everything in the queue tried now, as an administrator would after an outage."""
    run_in(host, "postqueue", "-f")


def empty_queue(host: str) -> None:
    """Throw everything in the queue away."""
    run_in(host, "sh", "-c", "command -v postsuper >/dev/null || exit 0; postsuper -d ALL 2>/dev/null")
