# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of zone files in a folder of somebody else, as a name server has one: all works, and root is led nowhere else.

from __future__ import annotations

import grp
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from intruder import names_in, plant_link, state_of, swapped_at_every_step
from static_zones import StaticZone

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import open_folder
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.run_folder import LockHeld, locked
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
WISH = {"name": "@", "mx": [{"preference": 10, "exchange": "mx1.example.net"}]}
# Its group may read and one more user may write (posix_acl_xattr.h).
ACL = bytes.fromhex("02000000 01000600ffffffff 02000600d2040000 04000400ffffffff 10000600ffffffff 20000400ffffffff")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A program of root, and a folder that only root can write in."""
    (tmp_path / "outside").mkdir()
    path = tmp_path / "outside" / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(params=["root:bind 0775", "bind:bind 0755", "nobody:nogroup 0777"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder as packages of name servers make it, and one of a stranger."""
    owners, mode = request.param.split()
    made = tmp_path / "zones"
    made.mkdir()
    owner, group = owners.split(":")
    os.chown(made, pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid)
    made.chmod(int(mode, 8))
    return made


@pytest.fixture
def theirs(zone: StaticZone, folder: Path) -> Iterator[Path]:
    """The zone's file in that folder; BIND loads it by a link from its own."""
    path = folder / zone.path.name
    path.write_bytes(zone.path.read_bytes())
    os.chown(path, folder.stat().st_uid, folder.stat().st_gid)
    zone.path.unlink()
    zone.path.symlink_to(path)
    yield path
    zone.path.unlink()


def params(zone: StaticZone, path: Path, **options: Any) -> dict[str, Any]:
    return zone.params(WISH, zone_file=str(path), **options)


def test_the_zone_is_published_and_its_file_keeps_what_it_has(zone: StaticZone, theirs: Path) -> None:
    theirs.chmod(0o664)
    os.setxattr(theirs, "system.posix_acl_access", ACL)
    os.setxattr(theirs, "user.note", b"mine")
    before = state_of(theirs)
    assert publish_mx_records(params(zone, theirs), False).changed
    assert zone.mx() == [(10, "mx1.example.net.", 300)]
    after = state_of(theirs)
    assert after[1:4] == before[1:4] and after[5] == before[5]
    assert names_in(theirs.parent) == [theirs.name]
    assert not publish_mx_records(params(zone, theirs), False).changed


def test_a_set_user_id_bit_is_not_taken_over(zone: StaticZone, theirs: Path) -> None:
    theirs.chmod(0o6755)
    publish_mx_records(params(zone, theirs), False)
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755


@pytest.mark.parametrize("aim", ["a program of root", "a name that is free"])
def test_links_that_come_at_any_step_lead_root_nowhere(zone: StaticZone, theirs: Path, outside: Path, aim: str) -> None:
    target = outside if aim == "a program of root" else outside.parent / "nologin"
    text, owner = theirs.read_bytes(), theirs.parent.stat().st_uid

    def renew() -> None:
        for old in list(theirs.parent.iterdir()):
            old.unlink()
        theirs.write_bytes(text)
        os.chown(theirs, owner, -1)
        theirs.chmod(0o4755)

    before = state_of(outside), state_of(outside.parent)
    publish = params(zone, theirs, reload_command=["true"])
    steps = swapped_at_every_step(theirs.parent, target, lambda: publish_mx_records(publish, False), renew)
    assert steps > 15
    assert (state_of(outside), state_of(outside.parent)) == before


def test_a_planted_note_leads_nowhere_and_the_server_is_told(zone: StaticZone, theirs: Path, outside: Path) -> None:
    plant_link(theirs.with_name(f"{theirs.name}.reload-pending"), outside.parent / "planted")
    publish_mx_records(params(zone, theirs), False)
    assert names_in(outside.parent) == [outside.name] and names_in(theirs.parent) == [theirs.name]
    assert zone.serial() == 2


def test_a_planted_note_makes_no_change(zone: StaticZone, theirs: Path, outside: Path) -> None:
    publish_mx_records(params(zone, theirs), False)
    plant_link(theirs.with_name(f"{theirs.name}.reload-pending"), outside)
    assert not publish_mx_records(params(zone, theirs), True).changed


@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
@pytest.mark.parametrize("kind", ["link", "hard link", "FIFO", "socket", "directory", "endless"])
def test_what_is_no_zone_file_is_refused_at_once(
    zone: StaticZone, theirs: Path, outside: Path, kind: str, check_mode: bool
) -> None:
    theirs.unlink()
    if kind == "link":
        plant_link(theirs, outside)
    elif kind == "hard link":
        theirs.hardlink_to(outside)
    elif kind == "FIFO":
        os.mkfifo(theirs)
    elif kind == "directory":
        theirs.mkdir()
    elif kind == "endless":
        with theirs.open("wb") as file:
            file.truncate(1 << 40)
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(theirs))
    before = state_of(outside), state_of(outside.parent), names_in(theirs.parent)
    with pytest.raises(SplitDomainError) as caught:
        publish_mx_records(params(zone, theirs), check_mode)
    assert str(theirs) in str(caught.value) and "\n" not in str(caught.value)
    assert (state_of(outside), state_of(outside.parent), names_in(theirs.parent)) == before


def test_a_link_in_a_folder_of_root_is_followed_into_a_folder_of_somebody_else(zone: StaticZone, theirs: Path) -> None:
    publish_mx_records(zone.params(WISH), False)
    assert zone.path.is_symlink() and "mx1.example.net." in theirs.read_text()


def test_a_run_waits_for_another_one_and_says_which(zone: StaticZone, theirs: Path) -> None:
    with open_folder(theirs.parent) as opened, locked(opened), pytest.raises(LockHeld) as caught:
        publish_mx_records(params(zone, theirs, lock_timeout=0.1), False)
    assert f"process {os.getpid()} (" in str(caught.value)
    assert publish_mx_records(params(zone, theirs, lock_timeout=0.1), False).changed
