# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A BIND whose zones are files, told to load them by rndc over a control channel of its own.

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from named_server import ADDRESS, SECRETS, WRITER, Named, Zone, free_port, started_named

RUN = """
import json, sys
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records
publish_mx_records(json.loads(sys.argv[1]), False)
"""
LINK = Path(__file__).resolve().parents[3] / ".build" / "link"


@dataclass
class StaticZone:
    """One zone of a running BIND, and its file."""

    named: Named
    name: str
    rndc: list[str]

    @property
    def path(self) -> Path:
        """Give the zone file."""
        return self.named.folder / f"{self.name}.zone"

    @property
    def note(self) -> Path:
        """Give the file that says that the server is still to be told."""
        return self.named.folder / f"{self.name}.zone.reload-pending"

    def params(self, *record_sets: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """Give the options of mx_records, as Ansible would hand them over, for this file."""
        named = {"server": None, "zone_file": str(self.path), "reload_command": [*self.rndc, "reload"]}
        return self.named.params(*({"zone": self.name, **one} for one in record_sets), key=None, **{**named, **options})

    def mx(self, name: str | None = None) -> list[tuple[int, str, int]]:
        """Give what the server answers."""
        return self.named.mx(name or self.name)

    def serial(self) -> int:
        """Give the serial that the server has."""
        return self.named.serial(self.name)


@contextlib.contextmanager
def started_static_named(zones: Mapping[str, Zone], extra: str = "", address: str = ADDRESS) -> Iterator[Named]:
    """Start BIND with a control channel; ``rndc_of`` gives the command that speaks with it."""
    port = free_port()
    channel = f'controls {{ inet {ADDRESS} port {port} allow {{ any; }} keys {{ "{WRITER}"; }}; }};\n'
    with started_named(zones, address, channel + extra) as named:
        (named.folder / "rndc.conf").write_text(
            f'key "{WRITER}" {{ algorithm hmac-sha256; secret "{SECRETS[WRITER]}"; }};\n'
            f'options {{ default-key "{WRITER}"; default-server {ADDRESS}; default-port {port}; }};\n'
        )
        yield named


def rndc_of(named: Named) -> list[str]:
    """Give the command that speaks with a BIND that was started here."""
    return ["rndc", "-c", str(named.folder / "rndc.conf")]


def started_run(params: dict[str, Any], *prefix: str) -> subprocess.Popen[str]:
    """Start a process that publishes; ``prefix`` is a command that starts another."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", str(LINK))}
    command = [*prefix, sys.executable, "-c", RUN, json.dumps(params)]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
