# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of zone files share: one BIND, of which each test gets a zone of its own.

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from named_server import LOCKED, Named, Zone
from static_zones import StaticZone, rndc_of, started_static_named

ZONES = [f"zone{number}.example" for number in range(160)]
LINES = "@ MX 10 mx1 ; the old one\nalias CNAME mx1\nsub NS ns1\n*.wild CNAME mx1\n"


@pytest.fixture(scope="session")
def static_named() -> Iterator[Named]:
    zones = {**dict.fromkeys(ZONES, Zone(LINES, LOCKED)), "dynamic.example": Zone(LINES)}
    with started_static_named(zones) as named:
        yield named


@pytest.fixture(scope="session")
def unused() -> Iterator[str]:
    return iter(ZONES)


@pytest.fixture
def zone(static_named: Named, unused: Iterator[str]) -> StaticZone:
    """A zone that no other test has."""
    return StaticZone(static_named, next(unused), rndc_of(static_named))


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Give a function that puts a script into a folder where commands are looked for first."""

    def put(name: str, script: str) -> str:
        path = tmp_path / name
        path.write_text(script)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return put
