# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real PowerDNS for tests: pdns_server on SQLite as a child process on loopback, with its own folder and port.

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import dns.rdatatype
import dns.zone
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

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


class PowerDns(AuthoritativeServer):
    """A running pdns_server."""

    brand = "PowerDNS"


@contextlib.contextmanager
def started_powerdns(zones: Mapping[str, Zone]) -> Iterator[PowerDns]:
    """Start pdns_server with these zones and give it when it answers; it is ended and its folder removed after."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="powerdns-") as name:
        folder = Path(name)
        (folder / "pdns.conf").write_text(_configuration(folder, port), encoding="utf-8")
        _fill_database(folder / "database", zones)
        # What PowerDNS notes beside each record: what is delegated, and the names between that have no records.
        subprocess.run(
            ["/usr/bin/pdnsutil", f"--config-dir={folder}", "rectify-all-zones"],
            check=True,
            capture_output=True,
            timeout=60,
        )
        powerdns = PowerDns(
            ADDRESS, port, folder, child_process(["/usr/sbin/pdns_server", f"--config-dir={folder}"], folder)
        )
        with running(powerdns, tuple(zones)[0]):
            yield powerdns


def _configuration(folder: Path, port: int) -> str:
    return "\n".join(
        [
            "launch=gsqlite3",
            f"gsqlite3-database={folder / 'database'}",
            # Nothing that tests write is to outlive them, so the disk need not be waited for.
            "gsqlite3-pragma-synchronous=0",
            f"local-address={ADDRESS} {ADDRESS6}",
            f"local-port={port}",
            f"socket-dir={folder}",
            "daemon=no",
            "guardian=no",
            "security-poll-suffix=",
            "dnsupdate=yes",
            "allow-dnsupdate-from=",
            "",
        ]
    )


def _fill_database(path: Path, zones: Mapping[str, Zone]) -> None:
    database = sqlite3.connect(path)
    with contextlib.closing(database), database:
        database.executescript(SCHEMA.read_text(encoding="utf-8"))
        keys = [(name, "hmac-sha256", SECRETS[name]) for name in SECRETS]
        keys += [(name, name, SECRETS[WRITER]) for name in ALGORITHMS]
        database.executemany("INSERT INTO tsigkeys (name, algorithm, secret) VALUES (?, ?, ?)", keys)
        for number, (name, zone) in enumerate(zones.items(), 1):
            database.execute("INSERT INTO domains (id, name, type) VALUES (?, ?, 'NATIVE')", (number, name))
            database.executemany(
                "INSERT INTO records (domain_id, name, type, ttl, prio, content) VALUES (?, ?, ?, ?, ?, ?)",
                [(number, *row) for row in _rows(name, zone)],
            )
            if zone.policy not in (LOCKED, CLOSED):
                rules = [("ALLOW-DNSUPDATE-FROM", "127.0.0.0/8"), ("ALLOW-DNSUPDATE-FROM", "::1/128")]
                rules += [("TSIG-ALLOW-DNSUPDATE", key) for key in (WRITER, *ALGORITHMS)]
                database.executemany(
                    "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (?, ?, ?)",
                    [(number, *rule) for rule in rules],
                )


def _rows(name: str, zone: Zone) -> list[tuple[str, str, int, int, str]]:
    """Give a zone as PowerDNS keeps it: names without a final dot, owners in lower case, preferences for themselves."""
    whole = dns.zone.from_text(zone.text(ADDRESS), name, relativize=False)
    rows = []
    for owner, ttl, rdata in whole.iterate_rdatas():
        preference, content = 0, rdata.to_text()
        if rdata.rdtype == dns.rdatatype.MX:
            preference, content = rdata.preference, rdata.exchange.to_text()
        plain = content.replace(". ", " ").removesuffix(".")
        rows.append(
            (owner.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(rdata.rdtype), ttl, preference, plain)
        )
    return rows
