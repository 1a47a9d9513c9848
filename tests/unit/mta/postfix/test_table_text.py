# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of lookup table texts: what is written is what Postfix reads, and somebody else's lines stay.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.difference import (
    changed_entries,
    differing_lines,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import (
    Entry,
    check_text,
    entries,
    fold,
    folded_text,
    render,
    with_entries,
    without_entries,
)

KEYS = st.sampled_from(["a@x", "A@x", "b@x", "x", "@x", '"a b"@x', "é@x", r"c\"d@x", "d#e@x"])
VALUES = st.sampled_from(["OK", "smtp:[h]:25", "550 5.1.1 no", "é", "a # b", '"q'])
ENTRIES = st.builds(Entry, KEYS, VALUES)
LINES = st.one_of(
    st.builds(lambda entry: f"{entry.key} {entry.value}", ENTRIES),
    st.builds(lambda entry: f"{entry.key}\t {entry.value}  ", ENTRIES),
    st.sampled_from(["# c", "", "  more", "\t# c", "lonely", '"open x', "#a@x OK"]),
)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=8), st.sampled_from(["", "\n"]))


def test_entries_are_written_one_a_line_with_folded_keys() -> None:
    assert render([Entry("Bob@Example.com", "local:"), Entry("x", "y z")]) == "bob@example.com local:\nx y z\n"


def test_entry_given_twice_is_written_once() -> None:
    assert render([Entry("a", "1"), Entry("A", "1")]) == "a 1\n"


def test_two_values_of_one_key_are_refused() -> None:
    with pytest.raises(InvalidInput, match="given twice"):
        render([Entry("a@x", "1"), Entry("A@x", "2")])


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a\nb@x", "1"),
        Entry("a", "1\n@x 2"),
        Entry("a", "1\r"),
        Entry("a\0", "1"),
        Entry("a", "1\0"),
        Entry("a b", "1"),
        Entry("#a", "1"),
        Entry(" a", "1"),
        Entry("a", " 1"),
        Entry("a", ""),
        Entry("", "1"),
        Entry('"a', "1"),
        Entry("a\\", "1"),
        Entry("a\udcff", "1"),
    ],
)
def test_entry_that_would_be_read_as_something_else_is_refused(entry: Entry) -> None:
    with pytest.raises(InvalidInput):
        render([Entry("first", "1"), entry])


def test_hash_sign_inside_a_key_is_no_comment() -> None:
    assert entries(render([Entry("a#b@x", "1")])) == {"a#b@x": Entry("a#b@x", "1")}


def test_quoted_key_may_have_spaces() -> None:
    assert entries('"A b"@x  c d \n') == {'"a b"@x': Entry('"A b"@x', "c d")}


def test_first_entry_of_a_key_counts() -> None:
    assert entries("a 1\nA 2\n")["a"].value == "1"


def test_value_goes_on_over_continuation_lines_and_comments() -> None:
    assert entries("a 1\n# c\n\n  2\nb 3\n")["a"].value == "1  2"


def test_present_entries_keep_comments_and_order_of_the_others() -> None:
    text = "# ours\nb 1\n\n# theirs\nA  2\nc 3\n"
    assert with_entries(text, [Entry("a", "9"), Entry("d", "4")]) == "# ours\nb 1\n\n# theirs\nA 9\nc 3\nd 4\n"


def test_present_entry_is_added_behind_a_line_without_newline() -> None:
    assert with_entries("a 1", [Entry("b", "2")]) == "a 1\nb 2\n"


def test_absent_entry_goes_with_all_its_lines_and_whatever_its_case() -> None:
    assert without_entries("# c\nA 1,\n  2\nb 3\na 4\n", ["a"]) == "# c\nb 3\n"


def test_line_without_value_is_told_with_its_number() -> None:
    with pytest.raises(InvalidInput, match=r"^Line 3 of the lookup table /t"):
        check_text("# c\na 1\nlonely\n", "/t")


def test_line_that_is_no_utf8_is_told_with_its_number() -> None:
    with pytest.raises(InvalidInput, match=r"^Line 2 of the lookup table /t is no UTF-8"):
        check_text("a 1\nb \udcff\n", "/t")


def test_text_with_nul_is_refused() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        check_text("a 1\0\n", "/t")


def test_one_changed_line_among_many_is_one_entry_to_write() -> None:
    lines = [f"u{number}@x local:" for number in range(1000)]
    before = "\n".join([*lines, ""])
    lines[500] = "U500@x smtp:[h]"
    after = "\n".join([*lines, "new@x local:", ""])
    assert changed_entries(before, after) == {"u500@x": Entry("U500@x", "smtp:[h]"), "new@x": Entry("new@x", "local:")}
    back = changed_entries(before=after, after=before)
    assert back == {"u500@x": Entry("u500@x", "local:"), "new@x": None}


@pytest.mark.parametrize("before", ["a 1\na 2\n", "a 1\nA 2\nb 1\n"])
def test_change_of_a_key_with_several_entries_is_left_to_a_parser(before: str) -> None:
    assert changed_entries(before, before.removeprefix("a 1\n")) is None


@given(st.lists(ENTRIES))
def test_rendered_entries_are_read_back(listed: list[Entry]) -> None:
    expected: dict[str, str] = {}
    conflict = any(expected.setdefault(fold(entry.key), entry.value) != entry.value for entry in listed)
    try:
        text = render(listed)
    except InvalidInput:
        assert conflict
        return
    assert not conflict
    assert {key: entry.value for key, entry in entries(text).items()} == expected
    check_text(text, "/t")


@given(st.text(max_size=8), st.text(max_size=8))
def test_no_key_or_value_makes_a_second_entry(key: str, value: str) -> None:
    try:
        text = render([Entry(key, value)])
    except InvalidInput:
        return
    assert {found: entry.value for found, entry in entries(text).items()} == {fold(key): value}


@given(TEXTS, st.lists(st.builds(Entry, st.sampled_from(["a@x", "b@x", "new@x"]), VALUES), unique_by=lambda e: e.key))
def test_present_then_absent_changes_these_keys_and_no_other(text: str, wanted: list[Entry]) -> None:
    before = entries(text)
    keys = {entry.key for entry in wanted}
    present = entries(with_entries(text, wanted))
    assert {key: entry.value for key, entry in present.items() if key in keys} == {e.key: e.value for e in wanted}
    assert {key: entry for key, entry in present.items() if key not in keys} == {
        key: entry for key, entry in before.items() if key not in keys
    }
    assert not keys & set(entries(without_entries(with_entries(text, wanted), keys)))


@given(TEXTS, TEXTS)
def test_changed_entries_turn_the_old_index_into_the_new_one(before: str, after: str) -> None:
    changes = changed_entries(before, after)
    if changes is None:
        return
    index = {key: entry.value for key, entry in entries(before).items()}
    for key, entry in changes.items():
        index.pop(key, None)
        if entry is not None:
            index[key] = entry.value
    assert index == {key: entry.value for key, entry in entries(after).items()}


@given(st.lists(st.sampled_from(["a\n", "b\n", "ab\n", "\n"])), st.lists(st.sampled_from(["a\n", "b\n", "ab\n", "\n"])))
def test_differing_lines_stand_between_whole_lines_that_both_texts_have(before: list[str], after: list[str]) -> None:
    left, right = differing_lines("".join(before), "".join(after))
    start = next(
        (number for number, (old, new) in enumerate(zip(before, after)) if old != new), min(len(before), len(after))
    )
    assert "".join(before).startswith("".join(before[:start]) + left)
    assert "".join(after).startswith("".join(after[:start]) + right)
    rest_before = "".join(before)[len("".join(before[:start])) + len(left) :]
    rest_after = "".join(after)[len("".join(after[:start])) + len(right) :]
    assert rest_before == rest_after
    assert not left or not right or left.splitlines()[0] != right.splitlines()[0]
    assert all(not part or part.endswith("\n") for part in (left, right))


@given(TEXTS)
def test_folding_a_text_changes_its_keys_only(text: str) -> None:
    folded = folded_text(text)
    assert [fold(key) for key in entries(text)] == [entry.key for entry in entries(folded).values()]
    assert [entry.value for entry in entries(text).values()] == [entry.value for entry in entries(folded).values()]
    assert folded_text(folded) == folded
