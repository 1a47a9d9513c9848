# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real BIND for tests: named as a child process on loopback, with its own folder and port.

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from authoritative_server import (
    ADDRESS,
    ADDRESS6,
    ALGORITHMS,
    LOCKED,
    READER,
    SECRETS,
    WRITABLE,
    WRITER,
    AuthoritativeServer,
    Zone,
    child_process,
    free_port,
    running,
    wait_until_it_answers,
)

__all__ = [
    "ADDRESS",
    "ALGORITHMS",
    "LOCKED",
    "READER",
    "SECRETS",
    "WRITABLE",
    "WRITER",
    "Named",
    "Zone",
    "free_port",
    "started_named",
    "wait_until_it_answers",
]


class Named(AuthoritativeServer):
    """A running named."""

    brand = "BIND"


@contextlib.contextmanager
def started_named(
    zones: Mapping[str, Zone], shown_address: str = ADDRESS, extra: str = "", port: int | None = None
) -> Iterator[Named]:
    """Start named with these primary zones and give it when it answers; it is ended and its folder removed after.

    ``shown_address`` is that of the server ns1 in each zone.
    """
    port = free_port() if port is None else port
    with tempfile.TemporaryDirectory(prefix="named-") as name:
        folder = Path(name)
        # named as root leaves root behind, so its folder must be open to the user that it becomes.
        folder.chmod(0o755)
        (folder / "named.conf").write_text(_configuration(zones, shown_address, folder, extra), encoding="utf-8")
        command = ["/usr/sbin/named", "-g", "-c", folder / "named.conf", "-p", str(port)]
        named = Named(ADDRESS, port, folder, child_process(command, folder))
        with running(named, next(iter(zones), ".")):
            yield named


def _configuration(zones: Mapping[str, Zone], shown_address: str, folder: Path, extra: str) -> str:
    keys = "".join(f'key "{name}" {{ algorithm hmac-sha256; secret "{SECRETS[name]}"; }};\n' for name in SECRETS)
    keys += "".join(f'key "{name}" {{ algorithm {name}; secret "{SECRETS[WRITER]}"; }};\n' for name in ALGORITHMS)
    blocks = ""
    for name, zone in zones.items():
        (folder / f"{name}.zone").write_text(zone.text(shown_address), encoding="utf-8")
        blocks += (
            f'zone "{name}" {{ type primary; file "{name}.zone"; masterfile-format text; '
            f"{zone.policy} {zone.statements} }};\n"
        )
    return (
        f'{keys}options {{ directory "{folder}"; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ {ADDRESS6}; }}; '
        "recursion no; check-names primary ignore; notify no; pid-file none; session-keyfile none; "
        f'dnssec-validation no; managed-keys-directory "{folder}"; }};\ncontrols {{ }};\n{blocks}{extra}'
    )
