# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real BIND for tests: named as a child process on loopback, with its own folder and port.

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.exception
import dns.message
import dns.query
import dns.rcode

# Two keys that everybody may know: one may change MX records, the other may only ask.
WRITER = "mail-update"
READER = "only-reading"
SECRETS = {
    WRITER: "d3JpdGVyLXdyaXRlci13cml0ZXItd3JpdGVyLTEyMzQ=",
    READER: "cmVhZGVyLXJlYWRlci1yZWFkZXItcmVhZGVyLTEyMzQ=",
}
# One key for each algorithm that BIND has, with the writer's secret.
ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha384", "hmac-sha512")
GRANTS = " ".join(f"grant {key} zonesub MX;" for key in (WRITER, *ALGORITHMS))
WRITABLE = f"update-policy {{ {GRANTS} grant {WRITER} zonesub CNAME; }};"
LOCKED = ""

# The exchanges that tests name are here, so that whether they are aliases is known.
APEX = """$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 300
@ NS ns1
mx1 A 127.0.0.1
mx2 A 127.0.0.1
backup A 127.0.0.1
"""
ADDRESS = "127.0.0.1"
START_SECONDS = 20


@dataclass(frozen=True)
class Zone:
    """One primary zone: further lines for its file, and who may update it."""

    lines: str = ""
    policy: str = WRITABLE
    statements: str = ""


@dataclass
class Named:
    """A running named."""

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
            "key_algorithm": "hmac-sha256",
            "key_file": None,
            "wait": False,
            "wait_timeout": 10.0,
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
    """Give a port that nobody has at this moment, neither for TCP nor for UDP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


@contextlib.contextmanager
def started_named(
    zones: Mapping[str, Zone], shown_address: str = ADDRESS, extra: str = "", port: int | None = None
) -> Iterator[Named]:
    """Start named with these primary zones and give it when it answers; it is ended and its folder removed after.

    ``shown_address`` is that of the server ns1 in each zone.
    """
    port = free_port() if port is None else port
    folder = Path(tempfile.mkdtemp(prefix="named-"))
    # named as root leaves root behind, so its folder must be open to the user that it becomes.
    folder.chmod(0o755)
    (folder / "named.conf").write_text(_configuration(zones, shown_address, folder, extra), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/named", "-g", "-c", str(folder / "named.conf"), "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    named = Named(ADDRESS, port, folder, process)
    try:
        wait_until_it_answers(named, next(iter(zones), "."))
        yield named
    finally:
        if process.poll() is None:
            named.stop()
        shutil.rmtree(folder)


def _configuration(zones: Mapping[str, Zone], shown_address: str, folder: Path, extra: str) -> str:
    keys = "".join(f'key "{name}" {{ algorithm hmac-sha256; secret "{SECRETS[name]}"; }};\n' for name in SECRETS)
    keys += "".join(f'key "{name}" {{ algorithm {name}; secret "{SECRETS[WRITER]}"; }};\n' for name in ALGORITHMS)
    blocks = ""
    for name, zone in zones.items():
        (folder / f"{name}.zone").write_text(f"{APEX}ns1 A {shown_address}\n{zone.lines}", encoding="utf-8")
        blocks += (
            f'zone "{name}" {{ type primary; file "{name}.zone"; masterfile-format text; '
            f"{zone.policy} {zone.statements} }};\n"
        )
    return (
        f'{keys}options {{ directory "{folder}"; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; recursion no; '
        "check-names primary ignore; notify no; pid-file none; session-keyfile none; dnssec-validation no; "
        f'managed-keys-directory "{folder}"; }};\ncontrols {{ }};\n{blocks}{extra}'
    )


def wait_until_it_answers(named: Named, zone: str) -> None:
    """Return when the server answers for a zone; raises AssertionError with its log when it does not in time."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and named.process.poll() is None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            if named.query(zone, "SOA").rcode() != dns.rcode.SERVFAIL:
                return
        time.sleep(0.05)
    raise AssertionError(f"named does not answer on {named.address} port {named.port}:\n{named.log()}")
