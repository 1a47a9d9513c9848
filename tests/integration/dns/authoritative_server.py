# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests know of every name server, whoever made it: its zones, its keys, how it is asked, written to and ended.

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

# Two keys that everybody may know: one may change MX records, the other may only ask.
WRITER = "mail-update"
READER = "only-reading"
SECRETS = {
    WRITER: "d3JpdGVyLXdyaXRlci13cml0ZXItd3JpdGVyLTEyMzQ=",
    READER: "cmVhZGVyLXJlYWRlci1yZWFkZXItcmVhZGVyLTEyMzQ=",
}
# One key for each algorithm that BIND has, with the writer's secret.
ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512")
# Who may update a zone, in BIND's words; the other servers know only these two.
GRANTS = " ".join(f"grant {key} zonesub MX;" for key in (WRITER, *ALGORITHMS))
WRITABLE = f"update-policy {{ {GRANTS} grant {WRITER} zonesub CNAME; }};"
LOCKED = ""
# Nobody may even ask; PowerDNS knows no such rule.
CLOSED = "allow-query { none; };"

# The exchanges that tests name are here, so that whether they are aliases is known.
APEX = """$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS ns1
mx1 A 127.0.0.1
mx2 A 127.0.0.1
backup A 127.0.0.1
"""
ADDRESS = "127.0.0.1"
ADDRESS6 = "::1"
START_SECONDS = 20


@dataclass(frozen=True)
class Zone:
    """One primary zone: further lines for its file, and who may update it; ``statements`` are for BIND alone."""

    lines: str = ""
    policy: str = WRITABLE
    statements: str = ""

    def text(self, shown_address: str) -> str:
        """Give the zone's file, with the address of its name server."""
        return f"{APEX}ns1 A {shown_address}\n{self.lines}"


@dataclass
class AuthoritativeServer:
    """A running server that takes updates."""

    brand: ClassVar[str]

    address: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def params(self, *record_sets: Mapping[str, Any], key: str | None = WRITER, **options: Any) -> dict[str, Any]:
        """Give the options of mx_records, as Ansible would hand them over, for this server."""
        return {
            "server": self.address,
            "port": self.port,
            "protocol": "tcp",
            "timeout": 5.0,
            "key_name": key,
            "key_secret": SECRETS[key] if key else None,
            "key_algorithm": None,
            "key_file": None,
            "wait": False,
            "wait_servers": [],
            "wait_timeout": 10.0,
            "allow_removal": True,
            "removal_share": 0.3,
            "lock_timeout": 30.0,
            "record_sets": [{"zone": None, "state": "exact", "ttl": None, **one} for one in record_sets],
            **options,
        }

    def query(self, name: str, rdtype: str) -> dns.message.Message:
        """Ask by dnspython's own client, which none of the code under test uses."""
        return dns.query.tcp(dns.message.make_query(name, rdtype), self.address, 5, self.port)

    def mx(self, name: str) -> list[tuple[int, str, int]]:
        """Give preference, exchange and TTL of each MX record that a client gets, sorted."""
        found = []
        for rrset in self.query(name, "MX").answer:
            if rrset.rdtype.name == "MX":
                found += [(one.preference, one.exchange.to_text().lower(), rrset.ttl) for one in rrset]
        return sorted(found)

    def held_mx(self, zone: str) -> dict[str, list[tuple[int, str]]]:
        """Give all MX sets that a zone holds by a transfer: preference and exchange by owner, without final dots."""
        transfer = dns.query.xfr(self.address, zone, port=self.port, relativize=False)
        whole = dns.zone.from_xfr(transfer, relativize=False)
        return {
            owner.to_text(omit_final_dot=True): sorted(
                (one.preference, one.exchange.to_text(omit_final_dot=True)) for one in rdataset
            )
            for owner, rdataset in whole.iterate_rdatasets(dns.rdatatype.MX)
        }

    def serial(self, zone: str) -> int:
        """Give the zone's serial, which grows with each write."""
        return int(self.query(zone, "SOA").answer[0][0].serial)

    def nsupdate(self, *lines: str, key: str = WRITER) -> None:
        """Write as somebody else would, with BIND's own tool."""
        script = "\n".join([f"server {self.address} {self.port}", "check-names no", *lines, "send", ""])
        subprocess.run(
            ["nsupdate", "-y", f"hmac-sha256:{key}:{SECRETS[key]}"], input=script.encode(), check=True, timeout=20
        )

    def log(self) -> str:
        """Give what the server logged so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End the process and wait for its end."""
        self.process.terminate()
        self.process.wait(timeout=20)


def free_port() -> int:
    """Give a port that nobody has at this moment, neither for TCP nor for UDP, neither for IPv4 nor for IPv6."""
    while True:
        with contextlib.ExitStack() as stack:
            tcp = stack.enter_context(socket.socket())
            tcp.bind((ADDRESS, 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)).bind((ADDRESS, port))
                stack.enter_context(socket.socket(socket.AF_INET6)).bind((ADDRESS6, port))
                stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)).bind((ADDRESS6, port))
                return port


def child_process(command: Sequence[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    """Start a server whose words go into the file log of its folder."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextlib.contextmanager
def running(server: AuthoritativeServer, zone: str) -> Iterator[None]:
    """Begin when the server answers for a zone, and end the server."""
    try:
        wait_until_it_answers(server, zone)
        yield
    finally:
        if server.process.poll() is None:
            server.stop()


def wait_until_it_answers(server: AuthoritativeServer, zone: str) -> None:
    """Return when the server answers for a zone; raises AssertionError with its log when it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.process.poll() is None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            if server.query(zone, "SOA").rcode() != dns.rcode.SERVFAIL:
                return
        time.sleep(0.05)
    raise AssertionError(f"{server.brand} does not answer on {server.address} port {server.port}:\n{server.log()}")
