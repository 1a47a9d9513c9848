# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real Knot DNS that takes updates, for tests: knotd as a child process on loopback, with its own folder and port.

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from authoritative_server import (
    ADDRESS,
    ADDRESS6,
    ALGORITHMS,
    CLOSED,
    LOCKED,
    SECRETS,
    WRITER,
    AuthoritativeServer,
    Zone,
    child_process,
    free_port,
    running,
)


class KnotPrimary(AuthoritativeServer):
    """A running knotd."""

    brand = "Knot DNS"


@contextlib.contextmanager
def started_knot_primary(zones: Mapping[str, Zone]) -> Iterator[KnotPrimary]:
    """Start knotd with these primary zones and give it when it answers; it is ended and its folder removed after."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="knot-primary-") as name:
        folder = Path(name)
        (folder / "knot.conf").write_text(_configuration(zones, folder, port), encoding="utf-8")
        command = ["/usr/sbin/knotd", "-c", folder / "knot.conf"]
        knot = KnotPrimary(ADDRESS, port, folder, child_process(command, folder))
        with running(knot, tuple(zones)[0]):
            yield knot


def _configuration(zones: Mapping[str, Zone], folder: Path, port: int) -> str:
    keys = "".join(f"  - id: {name}\n    algorithm: hmac-sha256\n    secret: {SECRETS[name]}\n" for name in SECRETS)
    keys += "".join(f"  - id: {name}\n    algorithm: {name}\n    secret: {SECRETS[WRITER]}\n" for name in ALGORITHMS)
    blocks = ""
    for name, zone in zones.items():
        (folder / f"{name}.zone").write_text(zone.text(ADDRESS), encoding="utf-8")
        rules = {CLOSED: "transfer", LOCKED: "[ transfer, readers ]"}.get(zone.policy, "[ transfer, readers, writers ]")
        blocks += f"  - domain: {name}\n    acl: {rules}\n"
    return (
        f"server:\n  rundir: {folder}\n  listen: [ {ADDRESS}@{port}, {ADDRESS6}@{port} ]\n"
        "  background-workers: 1\n  udp-workers: 1\n  tcp-workers: 2\n"
        f"database:\n  storage: {folder}\nlog:\n  - target: stderr\n    any: info\nkey:\n{keys}"
        f"acl:\n  - id: transfer\n    address: {ADDRESS}\n    action: transfer\n"
        # Without such a rule Knot DNS says of a good key that it does not know it.
        f"  - id: readers\n    key: [ {', '.join(SECRETS)} ]\n    action: query\n"
        f"  - id: writers\n    key: [ {', '.join((WRITER, *ALGORITHMS))} ]\n    action: update\n"
        "    update-type: [ MX, CNAME ]\n"
        f"template:\n  - id: default\n    storage: {folder}\n    zonefile-sync: -1\n    journal-content: changes\n"
        f"    semantic-checks: off\nzone:\n{blocks}"
    )
