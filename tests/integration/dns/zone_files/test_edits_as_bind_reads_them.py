# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the edit of zone files against BIND's own reading of the file before and after.

from __future__ import annotations

import subprocess

from hypothesis import assume, given, settings
from zone_texts import ZONE, Made, wanted_sets, zone_texts

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.contents import ZoneContents
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.edit import edit_zone
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet


def as_bind_reads(text: str) -> dict[tuple[str, str], list[str]]:
    """Give TTL and data of every record by owner and type."""
    command = ["named-compilezone", "-i", "none", "-k", "ignore", "-s", "full", "-o", "-", ZONE, "/dev/stdin"]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode() + text
    told: dict[tuple[str, str], list[str]] = {}
    for line in done.stdout.decode().splitlines():
        owner, ttl, _class, rdtype, data = line.split(None, 4)
        told.setdefault((owner.lower().rstrip("."), rdtype), []).append(f"{ttl} {data.lower()}")
    return {key: sorted(records) for key, records in told.items()}


def read(made: Made) -> ZoneContents:
    return ZoneContents(parse_zone_text(made.text, ZONE, "db", lambda name: name), ZONE, "db")


def check(made: Made, wanted: dict[str, MxSet]) -> None:
    before = as_bind_reads(made.text)
    zone = read(made)
    after = as_bind_reads(edit_zone(zone, wanted, 2026112101))
    for name, mx_set in wanted.items():
        before.pop((name, "MX"), None)
        assert after.pop((name, "MX"), []) == sorted(f"{mx_set.ttl} {record}" for record in mx_set.records)
    (old_soa,), (new_soa,) = before.pop((ZONE, "SOA")), after.pop((ZONE, "SOA"))
    assert old_soa.replace(" 2026112100 ", " 2026112101 ").replace(". 7 ", ". 2026112101 ") == new_soa
    for key in sets_of_several_ttls(zone):
        # Which of them BIND takes depends on what stands between the records (RFC 2181 section 5.2 forbids it).
        if key in before:
            before[key], after[key] = ([one.split(None, 1)[1] for one in told[key]] for told in (before, after))
    assert after == before


def sets_of_several_ttls(zone: ZoneContents) -> set[tuple[str, str]]:
    ttls: dict[tuple[str, str], set[int]] = {}
    for record in zone.text.records:
        ttls.setdefault((record.owner.replace(r"\046", r"\."), record.rdtype), set()).add(record.ttl)
    return {key for key, several in ttls.items() if len(several) > 1}


@given(zone_texts(), wanted_sets())
@settings(max_examples=60, deadline=None)
def test_bind_finds_the_wanted_sets_and_no_other_difference(made, wanted):
    check(made, wanted)


@given(zone_texts(has_ttl=False), wanted_sets())
@settings(max_examples=60, deadline=None)
def test_bind_finds_no_other_difference_where_lines_have_their_ttl_from_the_line_before(made, wanted):
    # Where BIND corrects the TTL of a record, it gives the corrected one to the lines behind it.
    assume(not sets_of_several_ttls(read(made)))
    check(made, wanted)
