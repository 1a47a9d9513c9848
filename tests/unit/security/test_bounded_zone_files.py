# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What a zone file includes and generates has bounds: no pipe, no device, no flood, and one sentence each.

from __future__ import annotations

import os
import re
import stat
import time
from pathlib import Path

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.atomic_files import read_file
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.folders import NoRegularFile
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ZoneFileUnreadable
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import read_key_file
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.file import (
    ZoneFile,
    read_zone_file,
    zone_place,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.includes import (
    MOST_INCLUDES,
    MOST_OCTETS,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.lines import LONGEST_LINE
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import (
    MOST_GENERATED,
    MOST_LINES,
    MOST_RECORDS,
)

ZONE = "$TTL 1h\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\n"


def read(path: Path) -> ZoneFile:
    with zone_place(path) as place:
        return read_zone_file(place, "example.com")


def refusal(path: Path) -> str:
    started = time.monotonic()
    with pytest.raises(ZoneFileUnreadable) as told:
        read(path)
    assert time.monotonic() - started < 60
    assert len(str(told.value)) < 600 and str(told.value).isprintable()
    return str(told.value)


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "hosts").write_text("h A 192.0.2.2\n")
    (tmp_path / "link").symlink_to("hosts")
    return tmp_path / "zone"


@pytest.mark.parametrize("name", ["/dev/zero", "{folder}/pipe", "{folder}/folder", "{folder}/endless", "/dev/tty"])
def test_what_is_no_regular_file_is_not_included(zone: Path, name: str) -> None:
    zone.write_text(f"{ZONE}$INCLUDE {name.format(folder=zone.parent)}\n")
    assert "cannot be read on the host" in refusal(zone)


@pytest.mark.parametrize("name", ["pipe", "folder", "endless", "loop"])
def test_what_is_no_regular_file_is_no_zone_file(zone: Path, name: str) -> None:
    assert "cannot be read on the host" in refusal(zone.parent / name)


@pytest.mark.parametrize("name", ["pipe", "folder", "loop", "folder/../zone", "a\0b"])
def test_what_cannot_be_included_is_told(zone: Path, name: str) -> None:
    zone.write_text(f"{ZONE}$INCLUDE {name}\n")
    refusal(zone)


@pytest.mark.parametrize("name", ["/dev/zero", "pipe", "folder"])
def test_what_is_no_regular_file_is_not_included_by_a_directive_in_quotation_marks(zone: Path, name: str) -> None:
    zone.write_text(f'{ZONE}"$INCLUDE" {zone.parent / name}\n')
    assert "cannot be read on the host" in refusal(zone)


def test_a_link_to_a_regular_file_is_included(zone: Path) -> None:
    zone.write_text(f"{ZONE}$INCLUDE link\n")
    assert read(zone).contents.records("h.example.com", "A")


def test_files_that_are_too_many_are_not_included(zone: Path) -> None:
    zone.write_text(ZONE + "$INCLUDE hosts\n" * (MOST_INCLUDES + 1))
    assert f"includes more than {MOST_INCLUDES:,} files" in refusal(zone)


def test_files_that_double_themselves_are_not_included(zone: Path) -> None:
    for number in range(18):
        (zone.parent / f"f{number}").write_text(f"$INCLUDE f{number + 1}\n" * 2)
    (zone.parent / "f18").write_text("")
    zone.write_text(f"{ZONE}$INCLUDE f0\n")
    assert "files" in refusal(zone)


def test_files_that_are_too_large_are_not_read(zone: Path) -> None:
    with (zone.parent / "large").open("wb") as large:
        large.truncate(MOST_OCTETS + 1)
    zone.write_text(f"{ZONE}$INCLUDE large\n")
    assert "16 MiB" in refusal(zone)
    assert "16 MiB" in refusal(zone.parent / "large")


def test_files_that_are_too_large_together_are_not_read(zone: Path) -> None:
    (zone.parent / "long").write_text(f";{'x' * (MOST_OCTETS // 3)}\n")
    zone.write_text(ZONE + "$INCLUDE long\n" * 4)
    assert "includes more than 16 MiB in all" in refusal(zone)


@pytest.mark.parametrize(
    "spelled",
    [f"1-{MOST_GENERATED + 1}", "1-2000000000", "0-4294967295/1", "5-1", "1-9/0", "1", "-1-2", "1-2/", "1-" + "9" * 99],
)
def test_what_is_generated_has_bounds(zone: Path, spelled: str) -> None:
    zone.write_text(f"{ZONE}$GENERATE {spelled} h$ A 192.0.2.1\n")
    assert "$GENERATE" in refusal(zone)


@pytest.mark.parametrize("directive", ['"$GENERATE"', '"$generate"', '("$GENERATE"'])
def test_what_is_generated_has_bounds_in_quotation_marks_too(zone: Path, directive: str) -> None:
    end = ")" * directive.count("(")
    zone.write_text(f"{ZONE}{directive} 1-{MOST_GENERATED + 1} h$ A 192.0.2.1 {end}\n")
    assert "$GENERATE" in refusal(zone)


def test_what_is_generated_by_many_lines_has_bounds(zone: Path) -> None:
    zone.write_text(ZONE + f"$GENERATE 1-{MOST_GENERATED} h$ A 192.0.2.1\n" * 5)
    assert "$GENERATE" in refusal(zone)


@pytest.mark.parametrize("spelled", ["1-254", "0-254/2", f"1-{MOST_GENERATED}"])
def test_what_a_network_needs_is_generated(zone: Path, spelled: str) -> None:
    zone.write_text(f"{ZONE}$GENERATE {spelled} h$ A 192.0.2.1\n")
    assert read(zone).contents.serial == 1


@pytest.mark.parametrize("line", ["a." * 200_000 + " A 192.0.2.1\n", "$ORIGIN a\n" * 200, "a" * 300 + " A 192.0.2.1\n"])
def test_names_are_no_longer_than_dns_has_them(zone: Path, line: str) -> None:
    zone.write_text(ZONE + line)
    assert "which is no name" in refusal(zone)


def test_a_zone_of_more_records_than_memory_has_room_for_is_not_read(zone: Path) -> None:
    (zone.parent / "many").write_text("a A 1\n" * (MOST_RECORDS // 2))
    zone.write_text(ZONE + "$INCLUDE many\n" * 2)
    assert f"holds more than {MOST_RECORDS:,} records and directives" in refusal(zone)
    zone.write_text(ZONE + "$TTL 1\n" * MOST_RECORDS)
    assert f"holds more than {MOST_RECORDS:,} records and directives" in refusal(zone)


def test_a_zone_of_more_lines_than_anybody_writes_is_not_read(zone: Path) -> None:
    zone.write_text(ZONE + "\n" * MOST_LINES)
    assert f"holds more than {MOST_LINES:,} lines" in refusal(zone)


@pytest.mark.parametrize(
    "line",
    [
        "a A" + " x" * LONGEST_LINE + "\n",
        "a TXT (" + "\n" * LONGEST_LINE + ")\n",
        'a TXT "' + "x" * LONGEST_LINE + '"\n',
        "a TXT (" + ' ""' * LONGEST_LINE + ")\n",
        "(" + ";x\n" * LONGEST_LINE,
        "a\\." * LONGEST_LINE + "\n",
    ],
    ids=["words", "lines", "string", "strings", "comments", "name"],
)
def test_a_line_that_is_longer_than_any_record_is_not_read(zone: Path, line: str) -> None:
    zone.write_text(ZONE + line)
    assert f"line 5 of the zone file {zone} is longer than {LONGEST_LINE:,} characters" in refusal(zone)


@pytest.mark.parametrize("owner", ["${" * 3_000_000, "$a" * 1_000, "${" + "x" * 2_000_000])
def test_names_that_are_generated_are_no_longer_than_dns_has_them(zone: Path, owner: str) -> None:
    zone.write_text(f"{ZONE}$GENERATE 1-2 {owner} A 192.0.2.1\n")
    assert re.search("which is no name|is longer than", refusal(zone))


def test_a_key_file_that_is_a_pipe_is_not_waited_for(zone: Path) -> None:
    for name in ("pipe", "folder", "endless"):
        with pytest.raises(InvalidInput, match="cannot be read on the host"):
            read_key_file(str(zone.parent / name), None)


def test_a_regular_file_is_read_with_what_it_is(zone: Path) -> None:
    found = read_file(zone.parent / "hosts", 100)
    assert found is not None and found.content == b"h A 192.0.2.2\n" and stat.S_ISREG(found.status.st_mode)
    with pytest.raises(NoRegularFile, match="is larger than"):
        read_file(zone.parent / "hosts", 13)
