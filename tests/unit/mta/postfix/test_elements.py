# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of list values: adding and removing elements without touching the others.

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import (
    Position,
    add_elements,
    has_element,
    remove_elements,
    words,
)

PIECES = st.sampled_from(
    ["permit", "lmdb:/x", "$a", "${a?{b, c}}", "inline:{{k = v}, {l=w}}", "}", "a}b", ",", " ", ", ", "\t", ",,", "\n"]
)
LIST_VALUES = st.lists(PIECES, max_size=8).map("".join)
NEW_ELEMENTS = st.lists(
    st.sampled_from(["new:/1", "check_new cidr:/2", "new:{{a, b}}", "new_3", "check_4 new:/5"]), min_size=1, max_size=4
)
POSITIONS = st.sampled_from(["first", "last"])


def test_elements_are_separated_by_commas_and_white_space() -> None:
    assert words("a,b  c ,\td,,e") == ("a", "b", "c", "d", "e")


def test_braces_hold_an_element_together() -> None:
    assert words("pipemap:{lmdb:x, static:OK}, ${a?{b c}}") == ("pipemap:{lmdb:x, static:OK}", "${a?{b c}}")


def test_element_of_two_words_is_found_whatever_separates_them() -> None:
    assert has_element("permit, check_client_access   cidr:/x reject", "check_client_access cidr:/x")
    assert not has_element("check_client_access cidr:/y, cidr:/x", "check_client_access cidr:/x")


def test_only_what_is_missing_is_added_in_the_given_order() -> None:
    assert add_elements("b c", ["a", "b", "d"], "first") == "a, d, b c"
    assert add_elements("b c", ["a", "b", "d"], "last") == "b c, a, d"


def test_element_added_to_an_empty_list_stands_alone() -> None:
    assert add_elements("", ["a"], "last") == "a"


def test_element_given_twice_is_added_once() -> None:
    assert add_elements("", ["x y", "x  y"], "first") == "x y"


def test_element_is_removed_wherever_and_however_often_it_stands() -> None:
    assert remove_elements("a, b, a c, a", ["a"]) == "b, c"


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert remove_elements(" a ,b", ["c"]) == " a ,b"


def test_part_of_an_element_is_no_element() -> None:
    assert not has_element("inline:{a, b}", "a")
    assert remove_elements("proxy:lmdb:/x", ["lmdb:/x"]) == "proxy:lmdb:/x"


@pytest.mark.parametrize("value", ["{a", "pipemap:{x, {y}"])
def test_open_brace_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="brace"):
        add_elements(value, ["b"], "last")


@pytest.mark.parametrize("element", ["", " , ", "{a", "a\0"])
def test_element_that_is_none_is_refused(element: str) -> None:
    with pytest.raises(InvalidInput):
        add_elements("a", [element], "last")


@given(LIST_VALUES, NEW_ELEMENTS, POSITIONS)
def test_removing_what_was_added_gives_the_former_text(value: str, elements: list[str], position: Position) -> None:
    assert remove_elements(add_elements(value, elements, position), elements) == value


@given(st.text(max_size=20), NEW_ELEMENTS, POSITIONS)
def test_adding_keeps_the_others_in_their_order(value: str, elements: list[str], position: Position) -> None:
    try:
        before = words(value)
        assume(not set(before) & set(words(" ".join(elements))))
    except InvalidInput:
        assume(False)
    after = add_elements(value, elements, position)
    assert tuple(word for word in words(after) if word not in words(" ".join(elements))) == before
    assert all(has_element(after, element) for element in elements)
    assert add_elements(after, elements, position) == after
