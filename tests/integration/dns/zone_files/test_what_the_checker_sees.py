# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of named-checkzone's look at a new text: it sees what was read and nothing else, and has bounds.

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from static_zones import StaticZone

from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import run_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

Commands = Callable[[str, str], str]
WISH = {"name": "@", "mx": [{"preference": 10, "exchange": "mx1.example.net"}]}
SHADOW = "root:$6$salt$hash:20000:0:99999:7:::\n"
SWAPS = {
    "a FIFO": "rm {part}; mkfifo {part}",
    "a link to a secret": "ln -sf {secret} {part}",
    "a link to a device": "ln -sf /dev/zero {part}",
    "nothing": "rm {part}",
    "another text": "echo 'no record' > {part}",
}


def refusal(zone: StaticZone) -> str:
    with pytest.raises(failures.ZoneCheckFailed) as caught:
        publish_mx_records(zone.params(WISH, reload_command=[]), True)
    return str(caught.value)


@pytest.mark.parametrize("spelled", ["{part}", '"{part}"', "{name}"])
@pytest.mark.parametrize("swap", SWAPS)
def test_what_is_swapped_after_it_was_read_is_not_looked_at(
    zone: StaticZone, commands: Commands, tmp_path: Path, swap: str, spelled: str
) -> None:
    part = zone.named.folder / f"{zone.name}.part"
    part.write_text("ftp A 192.0.2.1\n")
    secret = tmp_path / "secret"
    secret.write_text(SHADOW)
    zone.path.write_text(f"{zone.path.read_text()}$INCLUDE {spelled.format(part=part, name=part.name)}\n")
    done = SWAPS[swap].format(part=part, secret=secret)
    commands("named-checkzone", f'#!/bin/sh\n{done}\nexec /usr/bin/named-checkzone "$@"\n')
    started = time.monotonic()
    assert publish_mx_records(zone.params(WISH, reload_command=[]), False).changed
    assert time.monotonic() - started < 30


def test_what_included_files_include_is_checked_and_told_by_its_name_and_line(zone: StaticZone) -> None:
    (zone.named.folder / "outer.part").write_text('; more\n"$include" inner.part sub ; below\n')
    (zone.named.folder / "inner.part").write_text("www A 192.0.2.1\nftp A nowhere\n")
    zone.path.write_text(zone.path.read_text() + "$INCLUDE outer.part\n$INCLUDE outer.part\n")
    told = refusal(zone)
    assert "inner.part:2:" in told and "zone-file" not in told and "/run" not in told


def test_an_included_file_with_octets_of_any_kind_is_checked(zone: StaticZone) -> None:
    (zone.named.folder / "odd.part").write_bytes(b'odd TXT "\xff\xfe \xc3\xa9" ; \xff\r\n$INCLUDE more.part\r\n')
    (zone.named.folder / "more.part").write_bytes(b"more A 192.0.2.1")
    zone.path.write_text(zone.path.read_text() + "$INCLUDE odd.part\n")
    publish_mx_records(zone.params(WISH), False)
    assert zone.mx() == [(10, "mx1.example.net.", 300)]
    assert zone.named.query(f"more.{zone.name}", "A").answer
    assert zone.named.query(f"odd.{zone.name}", "TXT").answer[0][0].strings == (b"\xff\xfe \xc3\xa9",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can confine a process to a folder")
def test_the_checker_of_root_has_no_other_file_in_its_reach(zone: StaticZone, commands: Commands) -> None:
    outside = zone.named.folder / "outside"
    outside.write_text("outside A 192.0.2.1\n")
    # As if the collection had not seen an $INCLUDE that BIND sees.
    planted = f'echo "\\$INCLUDE {outside}" >> zone-file-0'
    commands("named-checkzone", f'#!/bin/sh\n{planted}\nexec /usr/bin/named-checkzone "$@"\n')
    assert f"{outside}: file not found" in refusal(zone)


def test_the_checker_has_bounds_of_time_and_memory(zone: StaticZone, commands: Commands) -> None:
    commands("named-checkzone", "#!/bin/sh\nsleep 1\nulimit -t\nulimit -v\nexit 1\n")
    assert "and said: 300; 2097152:" in refusal(zone)


def test_of_a_checker_that_never_stops_talking_the_beginning_is_told(zone: StaticZone, commands: Commands) -> None:
    commands("named-checkzone", "#!/bin/sh\necho first >&2\nhead -c 100000000 /dev/zero | tr '\\0' x\nexit 1\n")
    told = refusal(zone)
    assert "said: first; xxx" in told and len(told) < 600


@pytest.mark.parametrize("status", [0, 1])
def test_the_copies_for_the_checker_are_gone_when_it_is_done(
    zone: StaticZone, commands: Commands, tmp_path: Path, status: int
) -> None:
    commands("named-checkzone", f"#!/bin/sh\nls -ld . > {tmp_path}/seen\npwd >> {tmp_path}/seen\nexit {status}\n")
    if status:
        refusal(zone)
    else:
        publish_mx_records(zone.params(WISH, reload_command=[]), True)
    mode, folder = (tmp_path / "seen").read_text().splitlines()
    with run_folder() as own:
        assert mode.startswith("drwx------") and Path(folder).parent == own.path
    assert not Path(folder).exists()
