# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of plans: what is wanted and what was found give what is to be.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import (
    DEFAULT_TTL,
    Change,
    plan_change,
    zone_diffs,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import WantedSet, parse_wanted_sets
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import AliasInTheWay
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet, Reading

RECORDS = st.builds(MxRecord, st.integers(0, 3), st.sampled_from(["a.example.com", "b.example.com", "c.example.com"]))
TTLS = st.one_of(st.none(), st.integers(0, 86400))
WISHES = st.builds(
    lambda state, ttl, records: WantedSet("example.com", None, state, ttl, tuple(records)),
    st.sampled_from(["exact", "present", "absent"]),
    TTLS,
    st.lists(RECORDS, min_size=1, max_size=5),
)
SETS = st.builds(MxSet.of, st.lists(RECORDS, max_size=5), st.integers(0, 86400))


def planned(wish: WantedSet, found: MxSet) -> Change:
    return plan_change(wish, Reading("example.com", "example.com", found))


@given(WISHES, SETS)
def test_a_plan_fulfilled_leaves_nothing_to_do(wish, found):
    after = planned(wish, found).after
    assert not planned(wish, after).is_due


@given(WISHES, SETS)
def test_each_state_says_exactly_which_records_are_left(wish, found):
    wanted, before, after = set(wish.records), set(found.records), set(planned(wish, found).after.records)
    if wish.state == "exact":
        assert after == wanted
    elif wish.state == "present":
        assert wanted <= after and after - wanted == before - wanted
    else:
        assert not after & wanted and after | wanted == before | wanted


@given(WISHES, SETS)
def test_the_ttl_is_the_named_one_else_the_one_found_else_the_default(wish, found):
    after = planned(wish, found).after
    if not after.records:
        assert after.ttl is None
    elif wish.ttl is not None and wish.state != "absent":
        assert after.ttl == wish.ttl
    else:
        assert after.ttl == (found.ttl if found.records else DEFAULT_TTL)


def test_a_name_that_is_an_alias_takes_no_records_but_may_be_without_any():
    reading = Reading("example.com", "example.com", MxSet(), alias_of="elsewhere.example.net")
    with pytest.raises(AliasInTheWay, match=r"elsewhere\.example\.net"):
        plan_change(WantedSet("example.com", None, "present", None, (MxRecord(1, "a.example.com"),)), reading)
    assert not plan_change(WantedSet("example.com", None, "exact", None, ()), reading).is_due


def test_the_diff_has_one_pair_a_zone_and_only_what_is_due():
    old, new = MxSet.of([MxRecord(1, "a.example.com")], 60), MxSet.of([MxRecord(2, "a.example.com")], 60)
    changes = [
        Change("example.com", "example.com", old, new),
        Change("example.com", "b.example.com", old, old),
        Change("example.net", "example.net", MxSet(), new),
    ]
    first, second = zone_diffs(changes)
    assert first.before == "example.com. 60 IN MX 1 a.example.com.\n"
    assert first.after == "example.com. 60 IN MX 2 a.example.com.\n"
    assert (second.before, second.after) == ("", "example.net. 60 IN MX 2 a.example.com.\n")


def test_wishes_keep_their_order_and_lose_their_copies():
    record = {"preference": "010", "exchange": "MX1.example.com."}
    first, second = parse_wanted_sets(
        [
            {"name": "b.example.com", "state": "exact", "mx": [record, {**record, "preference": 10}]},
            {"name": "@", "zone": "Example.com.", "state": "exact", "mx": []},
        ]
    )
    assert first.records == (MxRecord(10, "mx1.example.com"),)
    assert (second.name, second.zone, second.records) == ("example.com", "example.com", ())


def test_a_name_comes_only_once_however_it_is_spelled():
    with pytest.raises(InvalidInput, match=r"record_sets\[1\].*record_sets\[0\]"):
        parse_wanted_sets([{"name": name, "state": "exact", "mx": []} for name in ("example.com", "EXAMPLE.com.")])
