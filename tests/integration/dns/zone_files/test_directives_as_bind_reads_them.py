# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a directive in a zone file is against BIND's own reading: what BIND follows, the module follows too.

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileUnreadable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.file import read_zone_file, zone_place

ZONE = "example.com"
TOP = "$TTL 60\n@ SOA ns1 hostmaster 1 3600 600 86400 300\n@ NS ns1.example.net.\n"
MX = "MX 10 mx.example.net."
LINES = [
    f'"$ORIGIN" sub.{ZONE}.\nm {MX}\n',
    f'"$origin" sub\nm {MX}\n',
    f'"$ORIGIN"sub\nm {MX}\n',
    f'("$ORIGIN" sub)\nm {MX}\n',
    f'"$TTL" 90\nm {MX}\n',
    f'"$INCLUDE" part\nm {MX}\n',
    f'"$INCLUDE" "part" sub\nm {MX}\n',
    f"$INCLUDE part\nm {MX}\n",
    f'"$GENERATE" 1-2 h A 192.0.2.1\nm {MX}\n',
    rf'"\$TTL" {MX}' + "\n",
    rf'"\$INCLUDE" {MX}' + "\n",
    rf"\$ORIGIN {MX}" + "\n",
    f'"m" {MX}\n',
    f'm {MX}\n "$ORIGIN" sub\n',
    f'"$OTHER" {MX}\n',
    f'"$" {MX}\n',
]


def as_bind_reads(path: Path) -> list[str] | None:
    """Give the MX records that BIND finds in a file with its own checker, which compiles it; None where it refuses."""
    checker = ["named-checkzone", "-D", "-q", "-i", "none", "-k", "ignore", "-s", "full", "-o", "-", ZONE, path.name]
    done = subprocess.run(checker, cwd=path.parent, capture_output=True, text=True, check=False)
    found = (line.split() for line in done.stdout.splitlines() if " MX" in line)
    told = sorted(" ".join([owner.rstrip("."), ttl, *data]) for owner, ttl, _class, _type, *data in found)
    return told if done.returncode == 0 else None


@pytest.mark.parametrize("lines", LINES)
def test_what_bind_takes_for_a_directive_is_one(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "zone"
    (tmp_path / "part").write_text(f"in {MX}\n")
    path.write_text(TOP + lines)
    expected = as_bind_reads(path)
    try:
        with zone_place(path) as place:
            contents = read_zone_file(place, ZONE).contents
    except ZoneFileUnreadable:
        assert expected is None
        return
    owners = {record.owner for record in contents.text.records if record.rdtype == "MX"}
    sets = {owner.replace("\\036", "\\$").upper(): contents.mx_set(owner) for owner in owners}
    found = sorted(f"{owner} {mx_set.ttl} {record}" for owner, mx_set in sets.items() for record in mx_set.records)
    # What BIND refuses elsewhere, its checker finds before anything is written.
    assert expected is not None or not lines.startswith('"$')
    if expected is not None:
        assert [line.upper() for line in found] == [line.upper() for line in expected]
