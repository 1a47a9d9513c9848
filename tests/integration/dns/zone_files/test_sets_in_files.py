# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records with zone_file: what the server answers after a run, and what is left of the file.

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from knot_primary import started_knot_primary
from named_server import LOCKED, Zone
from static_zones import StaticZone

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.net"}
MX2 = {"preference": 20, "exchange": "mx2.example.net"}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_server_answers_the_new_set_and_the_result_tells_it(zone):
    outcome = publish_mx_records(zone.params({"name": "@", "ttl": 600, "mx": [MX1, MX2]}), False)
    assert zone.mx() == [(10, "mx1.example.net.", 600), (20, "mx2.example.net.", 600)]
    assert outcome.changed
    assert outcome.values["record_sets"] == [
        {
            "name": zone.name,
            "zone": zone.name,
            "before": {"ttl": 300, "mx": [{"preference": 10, "exchange": f"mx1.{zone.name}"}]},
            "after": {"ttl": 600, "mx": [MX1, MX2]},
            "changed": True,
        }
    ]
    assert outcome.values["serial"] == {"before": 1, "after": 2}
    assert zone.serial() == 2


def test_the_diff_is_the_file_before_and_after(zone):
    before = zone.path.read_text()
    outcome = publish_mx_records(zone.params({"name": "www." + zone.name, "mx": [MX1]}), False)
    (diff,) = outcome.diffs
    assert (diff.header, diff.before, diff.after) == (str(zone.path), before, zone.path.read_text())
    lines = [line for line in diff.after.splitlines() if line not in before.splitlines()]
    assert lines == ["@ SOA ns1 hostmaster 2 3600 600 86400 300", "www\t3600 IN\tMX\t10 mx1.example.net."]


def test_check_mode_predicts_the_run_and_writes_nothing(zone):
    params = zone.params({"name": "@", "mx": [MX1]})
    before, names = zone.path.read_bytes(), names_in(zone.named.folder)
    predicted = publish_mx_records(params, True)
    assert (zone.path.read_bytes(), names_in(zone.named.folder)) == (before, names)
    assert publish_mx_records(params, False) == predicted


def test_a_second_run_writes_nothing_and_tells_nobody(zone):
    publish_mx_records(zone.params({"name": "@", "mx": [MX1]}), False)
    before = zone.path.stat()
    again = zone.params({"name": zone.name.upper() + ".", "mx": [{**MX1, "preference": "010"}]})
    outcome = publish_mx_records({**again, "reload_command": ["false"]}, False)
    assert not outcome.changed and outcome.diffs == ()
    assert (zone.path.stat().st_ino, zone.path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert outcome.values["serial"] == {"before": 2, "after": 2}


@pytest.mark.parametrize(
    ("state", "left"),
    [
        ("exact", [(20, "mx2.example.net.", 300)]),
        ("present", [(10, "mx1.{}.", 300), (20, "mx2.example.net.", 300)]),
        ("absent", [(10, "mx1.{}.", 300)]),
    ],
)
def test_each_state_leaves_in_the_file_what_it_leaves_on_a_server(zone, state, left):
    publish_mx_records(zone.params({"name": "@", "state": state, "mx": [MX2]}), False)
    assert zone.mx() == [(preference, exchange.format(zone.name), ttl) for preference, exchange, ttl in left]


def test_a_drifted_ttl_is_brought_back(zone):
    old = {"preference": 10, "exchange": f"mx1.{zone.name}"}
    outcome = publish_mx_records(zone.params({"name": "@", "ttl": 86400, "mx": [old]}), False)
    assert outcome.changed and zone.mx() == [(10, f"mx1.{zone.name}.", 86400)]
    assert "@ 86400 MX 10 mx1 ; the old one\n" in zone.path.read_text()


def test_a_removed_set_and_the_line_behind_it(zone):
    zone.path.write_text(zone.path.read_text() + "mail MX 10 mx1\n\tTXT stays\n")
    publish_mx_records(zone.params({"name": f"mail.{zone.name}", "mx": []}), False)
    assert zone.mx(f"mail.{zone.name}") == []
    assert zone.named.query(f"mail.{zone.name}", "TXT").answer[0][0].strings == (b"stays",)


def test_the_serial_keeps_the_form_of_a_date(zone):
    zone.path.write_text(zone.path.read_text().replace(" 1 3600", " 2019020155 3600"))
    publish_mx_records(zone.params({"name": "@", "mx": [MX1]}), False)
    assert str(zone.serial()) == time.strftime("%Y%m%d00")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_owner_mode_and_attributes_of_the_file_stay_and_a_link_to_it_is_no_file_after(zone, tmp_path):
    os.chown(zone.path, 1234, 4321)
    zone.path.chmod(0o640)
    os.setxattr(zone.path, "user.note", b"mine")
    link = tmp_path / "link"
    link.symlink_to(zone.path)
    publish_mx_records(zone.params({"name": "@", "mx": [MX1]}, zone_file=str(link), reload_command=[]), False)
    found = zone.path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 4321, 0o640)
    assert os.getxattr(zone.path, "user.note") == b"mine"
    assert link.is_symlink() and "mx1.example.net." in link.read_text()


def test_a_file_that_tells_its_zone_needs_none(zone):
    zone.path.write_text(f"$ORIGIN {zone.name}.\n{zone.path.read_text()}")
    publish_mx_records(zone.params({"name": zone.name, "zone": None, "mx": [MX1]}), False)
    assert zone.mx() == [(10, "mx1.example.net.", 300)]


def test_a_file_that_includes_another_is_edited_beside_it(zone):
    (zone.named.folder / "parts").mkdir(exist_ok=True)
    (zone.named.folder / "parts" / "more").write_text("ftp MX 10 mx1\n")
    zone.path.write_text(zone.path.read_text() + "$INCLUDE parts/more\n")
    publish_mx_records(zone.params({"name": "@", "mx": [MX1]}), False)
    assert zone.mx() == [(10, "mx1.example.net.", 300)]
    assert zone.mx(f"ftp.{zone.name}") == [(10, f"mx1.{zone.name}.", 300)]


def test_an_exchange_without_address_in_its_own_zone_is_warned_of(zone):
    nowhere = {"preference": 10, "exchange": f"nowhere.{zone.name}"}
    outcome = publish_mx_records(zone.params({"name": "@", "mx": [nowhere, MX1]}), False)
    (warning,) = outcome.warnings
    assert f"nowhere.{zone.name} has no A or AAAA record" in warning and str(zone.path) in warning


def test_nobody_is_told_where_the_command_is_empty(zone):
    publish_mx_records(zone.params({"name": "@", "mx": [MX1]}, reload_command=[]), False)
    assert zone.mx() == [(10, f"mx1.{zone.name}.", 300)]
    assert not zone.note.exists()


def test_knot_dns_answers_the_new_set_after_its_own_command():
    with started_knot_primary({"example.com": Zone("@ MX 10 mx1\n", LOCKED)}) as knot:
        zone = StaticZone(knot, "example.com", [])
        command = ["knotc", "-c", str(knot.folder / "knot.conf"), "-b", "zone-reload"]
        outcome = publish_mx_records(zone.params({"name": "@", "mx": [MX1]}, reload_command=command), False)
        assert outcome.changed and zone.mx() == [(10, "mx1.example.net.", 300)]
