# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of zone files that must not be changed: each has its sentence, and each file stays as it is.

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from static_zones import StaticZone, started_run

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.net"}
WISH = {"name": "@", "mx": [MX1]}
BOTH_MODES = pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])


def refusal(zone: StaticZone, params: dict[str, Any], check_mode: bool = False) -> SplitDomainError:
    """Give the failure of a task that must leave the file, and its folder, as they are."""
    before = {path: path.read_bytes() for path in zone.named.folder.iterdir() if path.suffix != ""}
    with pytest.raises(SplitDomainError) as caught:
        publish_mx_records(params, check_mode)
    assert {path: path.read_bytes() for path in zone.named.folder.iterdir() if path.suffix != ""} == before
    return caught.value


@BOTH_MODES
def test_a_text_that_named_checkzone_does_not_take_never_replaces_the_file(zone, check_mode):
    zone.path.write_text(zone.path.read_text() + "alias A 192.0.2.1\n")
    error = refusal(zone, zone.params(WISH), check_mode)
    assert isinstance(error, failures.ZoneCheckFailed)
    assert "alias" in str(error) and "CNAME and other data" in str(error) and str(zone.path) in str(error)
    assert "stdin" not in str(error)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a command away from one process")
def test_without_named_checkzone_the_user_is_told_what_to_install(zone):
    before = zone.path.read_bytes()
    taken_away = ["unshare", "-m", "sh", "-c", 'mount --bind /dev/null "$0" && exec "$@"', "/usr/bin/named-checkzone"]
    said = started_run(zone.params(WISH), *taken_away).communicate(timeout=60)[1]
    assert "ZoneCheckFailed" in said and "bind9-utils" in said
    assert zone.path.read_bytes() == before and not zone.note.exists()


@BOTH_MODES
def test_a_zone_that_rndc_tells_to_be_under_dynamic_update_is_refused(static_named, zone, check_mode):
    dynamic = StaticZone(static_named, "dynamic.example", zone.rndc)
    error = refusal(dynamic, dynamic.params(WISH), check_mode)
    assert isinstance(error, failures.ZoneFileNotEditable)
    assert "dynamic.example is under dynamic update" in str(error) and "rndc zonestatus" in str(error)


def test_a_zone_with_a_journal_is_refused_where_rndc_is_not_asked(zone):
    journal = zone.path.with_name(f"{zone.path.name}.jnl")
    journal.write_bytes(b"")
    error = refusal(zone, zone.params(WISH, reload_command=["true"]))
    assert isinstance(error, failures.ZoneFileNotEditable) and str(journal) in str(error)
    # BIND keeps a journal of differences between versions of a file, too, and then tells that it is not dynamic.
    assert publish_mx_records(zone.params(WISH), False).changed


def test_a_zone_that_is_transferred_from_elsewhere_is_refused(zone, commands):
    commands("rndc", "#!/bin/sh\necho name: $2\necho type: secondary\n")
    error = refusal(zone, zone.params(WISH, reload_command=["rndc", "reload"]))
    assert isinstance(error, failures.ZoneFileNotEditable) and "as secondary" in str(error)


@BOTH_MODES
def test_a_path_that_no_file_can_have_is_refused_in_a_sentence(zone, check_mode):
    error = refusal(zone, zone.params(WISH, zone_file=f"{zone.path}\0"), check_mode)
    assert "is no path" in str(error)


def test_a_command_that_is_not_there_is_found_before_anything_is_written(zone):
    error = refusal(zone, zone.params(WISH, reload_command=["no-such-command", "reload"]))
    assert isinstance(error, InvalidInput) and "no-such-command" in str(error)


@BOTH_MODES
def test_the_last_record_goes_only_where_that_is_allowed(zone, check_mode):
    error = refusal(zone, zone.params({"name": "@", "mx": []}, allow_removal=False), check_mode)
    assert isinstance(error, failures.RemovalNotAllowed) and zone.name in str(error)


@pytest.mark.parametrize(
    ("name", "exchange", "told"),
    [
        ("alias", "mx1.example.net", "is an alias of mx1"),
        ("@", "alias", "the exchange alias"),
        ("@", "any.wild", "the exchange any.wild"),
        ("sub", "mx1.example.net", "delegates sub"),
        ("a.sub", "mx1.example.net", "delegates sub"),
    ],
)
def test_aliases_and_delegated_names_are_found_in_the_file(zone, name, exchange, told):
    host = exchange if exchange.endswith("net") else f"{exchange}.{zone.name}"
    owner = name if name == "@" else f"{name}.{zone.name}"
    error = refusal(zone, zone.params({"name": owner, "mx": [{"preference": 5, "exchange": host}]}))
    assert told in str(error)


def test_a_file_that_does_not_tell_its_zone_needs_it_told(zone):
    error = refusal(zone, zone.params({"name": zone.name, "zone": None, "mx": [MX1]}))
    assert isinstance(error, InvalidInput) and "give the zone in record_sets" in str(error)


def test_a_file_of_another_zone_is_refused(zone):
    zone.path.write_text(f"$ORIGIN {zone.name}.\n{zone.path.read_text()}")
    error = refusal(zone, zone.params({"name": "other.example", "zone": "other.example", "mx": [MX1]}))
    assert isinstance(error, failures.ZoneMismatch)
    assert f"SOA record for {zone.name}, not one for other.example" in str(error)


def test_sets_of_two_zones_do_not_fit_into_one_file(zone):
    other = {"name": "other.example", "zone": "other.example", "mx": [MX1]}
    assert "write a task for each" in str(refusal(zone, zone.params(WISH, other)))
    outside = {"name": "other.example", "zone": None, "mx": [MX1]}
    assert "other.example does not belong" in str(refusal(zone, zone.params(WISH, outside)))


def test_a_name_that_generate_may_make_is_refused_and_another_is_not(zone):
    zone.path.write_text(zone.path.read_text() + '$GENERATE 1-9 host${0,2,d} MX "10 mx1"\n')
    generated = {"name": f"host07.{zone.name}", "mx": [MX1]}
    assert "with $GENERATE (line 12)" in str(refusal(zone, zone.params(generated)))
    assert publish_mx_records(zone.params({"name": f"hosts.{zone.name}", "mx": [MX1]}), False).changed


def test_an_soa_record_in_an_included_file_is_refused(zone):
    (zone.named.folder / "head.part").write_text("@ 300 SOA ns1 hostmaster 1 3600 600 86400 300\n")
    text = zone.path.read_text().replace("@ SOA ns1 hostmaster 1 3600 600 86400 300", "$INCLUDE head.part")
    zone.path.write_text(text)
    error = refusal(zone, zone.params(WISH))
    assert isinstance(error, failures.ZoneFileNotEditable) and "line 1 of the included file head.part" in str(error)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        (b"\0\0\0\2raw", "masterfile-format text"),
        (b"@ MX ( 10 mx1\n", "line 1 .*never closed"),
        (b"$INCLUDE nowhere.part\n", "nowhere.part"),
    ],
)
def test_what_is_no_zone_file_is_told_as_such(zone, content, told):
    if content is None:
        zone.path.unlink()
    else:
        zone.path.write_bytes(content)
    error = refusal(zone, zone.params(WISH))
    assert isinstance(error, failures.ZoneFileUnreadable)
    assert re.search(told, str(error))


def test_what_only_a_server_can_answer_is_refused(zone):
    assert "wait" in str(refusal(zone, zone.params(WISH, wait=True)))
    assert "absolute path" in str(refusal(zone, zone.params(WISH, zone_file="relative.zone")))
