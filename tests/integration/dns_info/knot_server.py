# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Real authoritative servers for tests: knotd as a child process on an address of loopback, at the port of DNS.

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

PORT = 53
START_SECONDS = 20


def loopback(last: int) -> str:
    """Give an address of loopback that no other run of tests on this machine uses."""
    process = os.getpid()
    return f"127.{64 + (process >> 8) % 128}.{process % 256}.{last}"


@dataclass
class Knot:
    """A running knotd with its zone files."""

    address: str
    folder: Path
    process: subprocess.Popen[bytes]

    def query(self, name: str, rdtype: str) -> dns.message.Message:
        """Ask by dnspython's own client, which none of the code under test uses."""
        return dns.query.udp(dns.message.make_query(name, rdtype), self.address, 5, PORT)

    def serial(self, zone: str) -> int:
        """Give the zone's serial."""
        return int(self.query(zone, "SOA").answer[0][0].serial)

    def load(self, zone: str, text: str) -> None:
        """Replace a zone, whose text has another serial, and wait until it is served."""
        before = self.serial(zone)
        zone_file(self.folder, zone).write_text(text, encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + START_SECONDS
        while self.serial(zone) == before:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def log(self) -> str:
        """Give what the server logged so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def stop(self) -> None:
        """End the process and wait for its end."""
        self.process.terminate()
        self.process.wait(timeout=20)


def zone_file(folder: Path, zone: str) -> Path:
    return folder / f"{'root' if zone == '.' else zone}.zone"


@contextlib.contextmanager
def started_knot(address: str, zones: Mapping[str, str]) -> Iterator[Knot]:
    """Start knotd with the texts of zone files and give it when it answers; all of it is removed after."""
    folder = Path(tempfile.mkdtemp(prefix="knot-"))
    for zone, text in zones.items():
        zone_file(folder, zone).write_text(text, encoding="utf-8")
    (folder / "knot.conf").write_text(_configuration(address, zones, folder), encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/knotd", "-c", str(folder / "knot.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    knot = Knot(address, folder, process)
    try:
        _wait_until_it_answers(knot, list(zones)[0])
        yield knot
    finally:
        if process.poll() is None:
            knot.stop()
        shutil.rmtree(folder)


def _configuration(address: str, zones: Mapping[str, str], folder: Path) -> str:
    blocks = "".join(f'  - domain: "{zone}"\n    file: "{zone_file(folder, zone)}"\n' for zone in zones)
    return (
        f'server:\n  rundir: "{folder}"\n  listen: {address}@{PORT}\n  background-workers: 1\n  udp-workers: 1\n'
        f'  tcp-workers: 1\ndatabase:\n  storage: "{folder}"\nlog:\n  - target: stderr\n    any: info\n'
        f'template:\n  - id: default\n    storage: "{folder}"\n    zonefile-sync: -1\n    journal-content: none\n'
        f"    semantic-checks: off\nzone:\n{blocks}"
    )


def _wait_until_it_answers(knot: Knot, zone: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and knot.process.poll() is None:
        with contextlib.suppress(OSError, dns.exception.DNSException):
            if dns.query.udp(dns.message.make_query(zone, "SOA"), knot.address, 0.2, PORT).answer:
                return
        time.sleep(0.02)
    raise AssertionError(f"knotd does not answer on {knot.address}:\n{knot.log()}")
