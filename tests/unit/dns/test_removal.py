# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what a task may take away without being told so.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.removal import (
    FEWEST_FOR_A_SHARE,
    RemovalLimit,
    refuse_removals,
    removal_limit,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import RemovalNotAllowed
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

RECORDS = st.sets(st.builds(MxRecord, st.integers(0, 2), st.sampled_from(["a.example", "b.example", "c.example"])))
CHANGES = st.lists(st.tuples(RECORDS, RECORDS), max_size=25).map(
    lambda pairs: [
        Change("example", f"n{number}.example", MxSet.of(before, 60), MxSet.of(after, 60))
        for number, (before, after) in enumerate(pairs)
    ]
)


def change(number: int, before: int, after: int) -> Change:
    def records(count: int) -> MxSet:
        return MxSet.of([MxRecord(10 + one, f"mx{one}.example") for one in range(count)], 60 if count else None)

    return Change("example", f"n{number}.example", records(before), records(after))


def test_the_last_record_of_a_name_does_not_go_unasked() -> None:
    with pytest.raises(RemovalNotAllowed, match=r"^n1.example would be left without any MX record.*allow_removal"):
        refuse_removals([change(0, 2, 2), change(1, 1, 0)], RemovalLimit())
    refuse_removals([change(0, 2, 2), change(1, 1, 0)], RemovalLimit(is_allowed=True))
    refuse_removals([change(1, 0, 0)], RemovalLimit())


def test_one_record_of_a_few_sets_may_go() -> None:
    refuse_removals([change(number, 2, 1) for number in range(FEWEST_FOR_A_SHARE - 1)], RemovalLimit())


def test_records_of_many_sets_do_not_go_at_once() -> None:
    changes = [change(number, 2, 1 if number < 4 else 2) for number in range(10)]
    with pytest.raises(RemovalNotAllowed, match="4 of the 10 MX sets that there are would lose records"):
        refuse_removals(changes, RemovalLimit())
    refuse_removals(changes, RemovalLimit(share=0.4))
    refuse_removals([*changes, *(change(number, 2, 2) for number in range(10, 14))], RemovalLimit())


def test_a_null_mx_and_other_exchangers_are_no_removal() -> None:
    null = MxSet.of([MxRecord(0, ".")], 60)
    before = change(0, 2, 2).before
    refuse_removals(
        [Change("example", f"n{number}.example", before, null) for number in range(20)], RemovalLimit(share=0)
    )


def test_names_are_told_up_to_five() -> None:
    with pytest.raises(RemovalNotAllowed, match=r"n0.example, n1.example, .*n4.example and 3 more would be"):
        refuse_removals([change(number, 1, 0) for number in range(8)], RemovalLimit())


@given(CHANGES, st.floats(0, 1))
def test_nothing_that_is_let_through_empties_a_name_or_shrinks_more_than_the_share(
    changes: list[Change], share: float
) -> None:
    try:
        refuse_removals(changes, RemovalLimit(share=share))
    except RemovalNotAllowed:
        return
    there = [one for one in changes if one.before.records]
    assert all(one.after.records for one in there)
    shrunk = sum(set(one.after.records) < set(one.before.records) for one in there)
    assert len(there) < FEWEST_FOR_A_SHARE or shrunk <= share * len(there)


@pytest.mark.parametrize("share", [-0.1, 1.1, 30.0])
def test_a_share_is_from_0_to_1(share: float) -> None:
    with pytest.raises(InvalidInput, match="removal_share is .*: write a share from 0 to 1"):
        removal_limit(False, share)
