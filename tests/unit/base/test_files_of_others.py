# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of files in folders where somebody else can write: whatever stands there at any moment, nothing else changes.

from __future__ import annotations

import os
import socket
import stat
import struct
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from intruder import NOBODY, names_in, plant_link, state_of, swapped_at_every_step

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import (
    open_folder,
    open_place,
    read_file,
    replace_file,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.file_rights import FileRights
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import NoRegularFile
from ansible_collections.mailops.split_domain.plugins.module_utils.base.trusted_paths import LinkRefused

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
ACL = "system.posix_acl_access"


def access_control_list(reader: int) -> bytes:
    """Give the list of a file that its owner may write and one more user may read (posix_acl_xattr.h)."""
    entries = [(0x01, 6, 0xFFFFFFFF), (0x02, 4, reader), (0x04, 0, 0xFFFFFFFF), (0x10, 4, 0xFFFFFFFF)]
    entries.append((0x20, 0, 0xFFFFFFFF))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file of root in a folder of root."""
    folder = tmp_path / "outside"
    folder.mkdir()
    path = folder / "secret"
    path.write_text("root's own\n")
    path.chmod(0o640)
    return path


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of nobody's with a file."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "file").write_text("old\n")
    for path in (folder, folder / "file"):
        os.chown(path, NOBODY, NOBODY)
    return folder


def edit(path: Path) -> None:
    """Read a file, leave a mark, change the file and take the mark away: all that a change does."""
    with open_place(path) as place:
        found = place.read()
        assert found is not None and b"root's own" not in found.content
        place.folder.mark("mark", "due\n")
        place.folder.mark("mark", "more\n")
        place.folder.give(place.name, FileRights(mode=0o600))
        place.folder.set_time(place.name, 1)
        place.folder.replace(place.name, "new\n", found.attributes, age=3)
        place.folder.remove("mark")


@AS_ROOT
@pytest.mark.parametrize("target", ["secret", "missing"])
def test_links_that_come_at_any_step_lead_root_nowhere(theirs: Path, outside: Path, target: str) -> None:
    path = theirs / "file"

    def renew() -> None:
        for old in list(theirs.iterdir()):
            old.unlink()
        path.write_text("old\n")
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o4755)

    before = state_of(outside), state_of(outside.parent)
    steps = swapped_at_every_step(theirs, outside.parent / target, lambda: edit(path), renew)
    assert steps > 10
    assert (state_of(outside), state_of(outside.parent)) == before


@AS_ROOT
def test_a_hard_link_in_a_folder_of_somebody_else_is_not_read(theirs: Path, outside: Path) -> None:
    (theirs / "hard").hardlink_to(outside)
    with pytest.raises(NoRegularFile, match="is one of 2 names of a file .* the user nobody can write"):
        edit(theirs / "hard")
    assert (theirs / "hard").read_text() == "root's own\n"


def test_a_hard_link_in_a_folder_of_this_user_is_replaced_by_a_file_that_does_not_run_as_its_owner(
    tmp_path: Path,
) -> None:
    (tmp_path / "one").write_text("old\n")
    (tmp_path / "one").chmod(0o6755)
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    edit(tmp_path / "two")
    assert (tmp_path / "two").read_text() == "new\n" and (tmp_path / "one").read_text() == "old\n"
    assert stat.S_IMODE((tmp_path / "two").stat().st_mode) & 0o7000 == 0


@AS_ROOT
@pytest.mark.parametrize("kind", ["link", "hard link", "another's file"])
def test_a_mark_is_a_file_of_this_user_whatever_was_planted_under_its_name(
    theirs: Path, outside: Path, kind: str
) -> None:
    mark = theirs / "mark"
    if kind == "link":
        plant_link(mark, outside.parent / "planted")
    elif kind == "hard link":
        mark.hardlink_to(outside)
    else:
        mark.write_text("planted")
        os.chown(mark, NOBODY, NOBODY)
    before = outside.read_bytes(), names_in(outside.parent)
    with open_folder(theirs) as folder:
        folder.mark("mark", "due\n")
        folder.mark("mark", "more\n")
        assert folder.has_file("mark")
    assert (outside.read_bytes(), names_in(outside.parent)) == before
    assert mark.read_text() == "more\n" and mark.stat().st_uid == 0


@AS_ROOT
def test_all_that_a_file_has_beside_its_text_stays(theirs: Path) -> None:
    path = theirs / "file"
    path.chmod(0o640)
    os.setxattr(path, ACL, access_control_list(1234))
    os.setxattr(path, "user.note", b"mine")
    before = state_of(path)
    edit(path)
    after = state_of(path)
    assert path.read_text() == "new\n"
    assert after[1:4] == before[1:4] and after[5] == before[5] and ACL in after[5]


@AS_ROOT
def test_what_a_program_may_do_is_given_to_no_text(theirs: Path) -> None:
    os.setxattr(theirs / "file", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 21, 0, 0, 0))
    edit(theirs / "file")
    assert "security.capability" not in os.listxattr(theirs / "file")


@AS_ROOT
def test_a_new_file_has_the_rights_that_were_said_and_no_others_of_its_folder(tmp_path: Path) -> None:
    default = access_control_list(1234)
    os.setxattr(tmp_path, "system.posix_acl_default", default)
    replace_file(tmp_path / "new", "text\n", FileRights(mode=0o640, owner=0, group=4))
    found = (tmp_path / "new").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o640, 0, 4)
    assert ACL not in os.listxattr(tmp_path / "new")


def special_file(path: Path, kind: str) -> None:
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    elif kind == "device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    else:
        path.mkdir()


@AS_ROOT
@pytest.mark.parametrize("kind", ["FIFO", "socket", "device", "directory"])
def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "path"
    special_file(path, kind)
    said: list[str] = []

    def read() -> None:
        with suppress(SplitDomainError):
            read_file(path)
        try:
            read_file(path)
        except NoRegularFile as error:
            said.append(str(error))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10)
    assert said and str(path) in said[0] and "remove it" in said[0]


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(NoRegularFile, match="is larger than"):
        read_file(tmp_path / "sparse")


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """A file that links lead to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("old\n")
    return tmp_path / "real" / "file"


@pytest.mark.parametrize("target", ["real/file", "./real/../real/file", "{}/real/file"])
def test_a_link_in_folders_of_this_user_is_followed_and_stays(tmp_path: Path, real: Path, target: str) -> None:
    link = tmp_path / "link"
    link.symlink_to(target.format(tmp_path))
    edit(link)
    assert link.is_symlink() and real.read_text() == "new\n"


def test_a_name_that_no_file_can_have_is_told() -> None:
    with pytest.raises(OSError, match="its name is no path"):
        read_file(Path("/tmp/a\0b"))  # noqa: S108 - nothing is there


def test_links_that_lead_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        read_file(tmp_path / "a")


@AS_ROOT
@pytest.mark.parametrize("mode", [0o775, 0o777, 0o757])
def test_a_link_in_a_folder_that_others_can_write_in_is_refused_with_the_reason(
    tmp_path: Path, real: Path, mode: int
) -> None:
    open_to_others = tmp_path / "open"
    open_to_others.mkdir()
    open_to_others.chmod(mode)
    (open_to_others / "link").symlink_to(real)
    with pytest.raises(LinkRefused, match=r"every user|the group root") as caught:
        edit(open_to_others / "link")
    assert str(open_to_others / "link") in str(caught.value) and real.read_text() == "old\n"


@AS_ROOT
def test_a_link_of_somebody_else_is_refused_wherever_it_stands(tmp_path: Path, real: Path) -> None:
    plant_link(tmp_path / "link", real)
    with pytest.raises(LinkRefused, match="belongs to the user nobody"):
        edit(tmp_path / "link")


@AS_ROOT
def test_a_link_on_the_way_through_a_folder_of_somebody_else_is_refused(theirs: Path, real: Path) -> None:
    (theirs / "inner").mkdir()
    (theirs / "inner" / "way").symlink_to(real.parent)
    with pytest.raises(LinkRefused, match="the user nobody can write in the folder"):
        edit(theirs / "inner" / "way" / "file")
    assert real.read_text() == "old\n"


@AS_ROOT
def test_a_link_of_root_in_a_folder_like_tmp_is_followed(tmp_path: Path, real: Path) -> None:
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    (sticky / "link").symlink_to(real)
    plant_link(sticky / "planted", real)
    edit(sticky / "link")
    assert real.read_text() == "new\n"
    with pytest.raises(LinkRefused):
        edit(sticky / "planted")


@AS_ROOT
def test_the_folder_is_the_same_from_reading_to_writing(theirs: Path, outside: Path) -> None:
    (outside.parent / "file").write_text("root's\n")
    with open_place(theirs / "file") as place:
        found = place.read()
        assert found is not None
        theirs.rename(theirs.with_name("moved"))
        theirs.symlink_to(outside.parent)
        place.folder.replace(place.name, "new\n", found.attributes)
    assert (outside.parent / "file").read_text() == "root's\n"
    assert (theirs.with_name("moved") / "file").read_text() == "new\n"


@AS_ROOT
def test_leftovers_are_removed_by_their_names_alone(theirs: Path, outside: Path) -> None:
    plant_link(theirs / ".file.new-1", outside)
    plant_link(theirs / ".file.new-2", outside.parent)
    (theirs / ".file.new-3").mkdir()
    (theirs / ".file.new-3" / "hard").hardlink_to(outside)
    (theirs / ".file.new-4" / "deep").mkdir(parents=True)
    (theirs / ".file.new-5").write_text("left")
    before = state_of(outside)
    edit(theirs / "file")
    assert names_in(theirs) == [".file.new-4", "file"]
    assert state_of(outside)[:4] == before[:4]
