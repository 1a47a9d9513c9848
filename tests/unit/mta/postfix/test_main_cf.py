# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of main.cf texts: what Postfix reads from them, and that changes leave the rest alone.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf

LINES = st.lists(
    st.sampled_from(
        [
            "a = 1",
            "b=2",
            "a =",
            "a = 3, 4",
            "  , 5",
            "\t6",
            "# comment",
            "  # comment",
            "",
            "   ",
            "junk",
            "=x",
            "c = $a",
        ]
    )
)
ENDINGS = st.sampled_from(["", "\n"])
NAMES = st.sampled_from(["a", "b", "c", "d", "e_f"])
VALUES = st.text(st.characters(exclude_characters="\n\r\0"), max_size=12)


@st.composite
def main_cf_texts(draw: st.DrawFn) -> str:
    """Texts made of lines that main.cf files have, and texts made of anything."""
    return draw(st.one_of(st.text(max_size=60), st.builds(lambda lines, end: "\n".join(lines) + end, LINES, ENDINGS)))


def test_value_joins_continuation_lines_over_comments_and_empty_lines() -> None:
    text = "mydestination = a,\n# a comment\n\n   b,\n\tc\nmyhostname = x\n"
    assert MainCf(text).value("mydestination") == "a, b, c"


def test_last_definition_wins() -> None:
    assert MainCf("a = 1\nb = 2\na = 3\n").value("a") == "3"


def test_parameter_in_a_comment_is_not_set() -> None:
    assert MainCf("#a = 1\n  # a = 2\n").value("a") is None


def test_continuation_line_at_the_start_of_the_file_is_no_definition() -> None:
    assert MainCf("  a = 1\nb = 2\n").names() == ("b",)


def test_equals_sign_needs_no_space_and_may_be_in_the_value() -> None:
    main_cf = MainCf("a=b = c\n")
    assert main_cf.value("a") == "b = c"


def test_block_has_the_raw_lines_and_the_comments_between_them_but_not_those_behind() -> None:
    text = "x = 0\na = 1,\n# inside\n  2\n# behind\nb = 3\n"
    assert MainCf(text).block("a") == "a = 1,\n# inside\n  2\n"


def test_new_value_stands_where_the_old_one_stood() -> None:
    text = "x = 0\na = 1,\n  2\n# behind\nb = 3\n"
    assert MainCf(text).with_value("a", "9").text == "x = 0\na = 9\n# behind\nb = 3\n"


def test_new_parameter_goes_to_the_end_of_a_file_without_final_newline() -> None:
    changed = MainCf("a = 1").with_value("b", "2")
    assert changed.value("a") == "1"
    assert changed.value("b") == "2"


def test_removed_parameter_leaves_no_earlier_definition_behind() -> None:
    assert MainCf("a = 1\nb = 2\na = 3\n").without("a").text == "b = 2\n"


def test_line_separators_that_only_unicode_knows_are_part_of_the_value() -> None:
    assert MainCf("a = 1\u2028b = 2\n").value("b") is None


@pytest.mark.parametrize("value", ["1\nmynetworks = 0.0.0.0/0", "1\r", "1\0"])
def test_value_that_would_begin_a_new_line_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="line break or NUL"):
        MainCf("").with_value("a", value)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "#a", "a\n"])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="no name of a Postfix parameter"):
        MainCf("").with_value(name, "1")


@given(main_cf_texts(), NAMES, VALUES)
def test_written_value_is_read_back_and_nothing_else_changes(text: str, name: str, value: str) -> None:
    main_cf = MainCf(text)
    changed = main_cf.with_value(name, value)
    assert changed.value(name) == value.strip(" \t\n\r\v\f")
    for other in main_cf.names():
        if other != name:
            assert changed.value(other) == main_cf.value(other)


@given(main_cf_texts(), st.lists(st.tuples(NAMES, VALUES), max_size=6), st.randoms())
def test_former_blocks_put_back_in_any_order_give_the_same_text(text, writes, random) -> None:  # type: ignore[no-untyped-def]
    main_cf = MainCf(text)
    former: dict[str, str | None] = {}
    for name, value in writes:
        former.setdefault(name, main_cf.block(name))
        main_cf = main_cf.with_value(name, value)
    names = list(former)
    random.shuffle(names)
    for name in names:
        main_cf = main_cf.with_block(name, former[name])
    assert main_cf.text == text


@given(main_cf_texts(), NAMES)
def test_removed_parameter_is_gone_and_the_others_are_not(text: str, name: str) -> None:
    main_cf = MainCf(text)
    changed = main_cf.without(name)
    assert changed.value(name) is None
    assert [other for other in main_cf.names() if other != name] == list(changed.names())
