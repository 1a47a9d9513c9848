# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the order in which Postfix looks for an address, and of walking many ways in step.

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import CommandFailed
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.lookups import (
    Asking,
    ExtensionRules,
    Hit,
    Key,
    Lookup,
    LookupFailure,
    LookupResult,
    Table,
    TableList,
    access_keys,
    rewriting_keys,
    search,
    together,
    transport_keys,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.trace.settings import (
    DomainList,
    find_member,
    parse_patterns,
)

PLUS = ExtensionRules("+")
Found = object


def texts(keys: tuple[Key, ...]) -> list[str]:
    return [key.text for key in keys]


def walk(
    way: Asking[Found], answers: dict[Lookup, LookupResult], asked: list[tuple[Lookup, ...]] | None = None
) -> Found:
    """Walk a way with these answers; all other keys are not there."""
    try:
        questions = next(way)
        while True:
            if asked is not None:
                asked.append(questions)
            questions = way.send({question: answers.get(question) for question in questions})
    except StopIteration as end:
        return end.value


def test_virtual_looks_for_the_user_alone_only_in_the_servers_own_domains() -> None:
    assert texts(rewriting_keys("a+b@c.example", PLUS, is_local=False)) == [
        "a+b@c.example",
        "a@c.example",
        "@c.example",
    ]
    assert texts(rewriting_keys("a+b@c.example", PLUS, is_local=True)) == [
        "a+b@c.example", "a@c.example", "a+b", "a", "@c.example",
    ]  # fmt: skip


def test_transport_looks_for_parents_by_their_dot_and_for_the_wildcard_last() -> None:
    assert texts(transport_keys("a@b.c.example", PLUS, parents_match=False)) == [
        "a@b.c.example", "b.c.example", ".c.example", ".example", "*",
    ]  # fmt: skip
    assert texts(transport_keys("a@b.c.example", PLUS, parents_match=True)) == [
        "a@b.c.example", "b.c.example", "c.example", "example", "*",
    ]  # fmt: skip


def test_access_looks_for_the_user_at_any_domain_last() -> None:
    assert texts(access_keys("a+b@c.example", PLUS, parents_match=True)) == [
        "a+b@c.example", "a@c.example", "c.example", "example", "a+b@", "a@",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("local_part", "delimiters", "expected"),
    [
        ("bob+news", "+", ("bob", "+news")),
        ("bob+news+more", "+", ("bob", "+news+more")),
        ("bob-x+y", "+-", ("bob", "-x+y")),
        ("+news", "+", ("+news", "")),
        ("bob+", "+", ("bob", "+")),
        ("bob+news", "", ("bob+news", "")),
        ("owner-list", "-", ("owner-list", "")),
        ("List-Request", "-", ("List-Request", "")),
        ("double-bounce", "-", ("double-bounce", "")),
        ("Postmaster", "t", ("Postmaster", "")),
    ],
)
def test_a_local_part_falls_into_user_and_extension_as_in_postfix(
    local_part: str, delimiters: str, expected: tuple[str, str]
) -> None:
    assert ExtensionRules(delimiters).split(local_part) == expected


@given(st.text("ab+-", min_size=1, max_size=8), st.sampled_from(["", "+", "-", "+-"]))
def test_user_and_extension_make_the_local_part_and_the_user_is_never_empty(local_part: str, delimiters: str) -> None:
    user, extension = ExtensionRules(delimiters).split(local_part)
    assert user + extension == local_part
    assert user


def test_tables_of_patterns_are_not_asked_for_parts_of_an_address() -> None:
    patterns, indexed = Table("regexp:/p", takes_parts=False), Table("lmdb:/t", takes_parts=True)
    tables = TableList("transport_maps", (patterns, indexed))
    way = search(tables, transport_keys("a+b@c.example", PLUS, parents_match=False))
    asked = next(way)
    assert [question.key for question in asked if question.table == "regexp:/p"] == ["a+b@c.example", "*"]
    assert [question.key for question in asked if question.table == "lmdb:/t"] == [
        "a+b@c.example", "a@c.example", "c.example", ".example", "*",
    ]  # fmt: skip


def test_a_key_is_asked_of_all_tables_before_the_next_key() -> None:
    tables = TableList("virtual_alias_maps", (Table("lmdb:/one", True), Table("lmdb:/two", True)))
    answers: dict[Lookup, LookupResult] = {
        Lookup("lmdb:/one", "@c.example"): "first",
        Lookup("lmdb:/two", "a@c.example"): "second",
    }
    found = walk(search(tables, rewriting_keys("a@c.example", PLUS, False)), answers)
    assert found == Hit("virtual_alias_maps", "lmdb:/two", "a@c.example", "second")


def test_a_broken_table_fails_only_the_addresses_that_come_to_it() -> None:
    tables = TableList("virtual_alias_maps", (Table("lmdb:/one", True), Table("lmdb:/broken", True)))
    broken = {Lookup("lmdb:/broken", key): LookupFailure("Postfix says: no such file") for key in ("a@b", "c@b", "@b")}
    answers: dict[Lookup, LookupResult] = {**broken, Lookup("lmdb:/one", "a@b"): "found"}
    assert walk(search(tables, rewriting_keys("a@b", PLUS, False)), answers)
    with pytest.raises(
        CommandFailed, match=r"table lmdb:/broken of virtual_alias_maps cannot be asked for c@b.*no such"
    ):
        walk(search(tables, rewriting_keys("c@b", PLUS, False)), answers)


@pytest.mark.parametrize(
    ("value", "parents_match", "members", "strangers"),
    [
        ("a.example, B.example", None, ["a.example", "b.example", "A.EXAMPLE"], ["x.a.example"]),
        ("!x.a.example a.example", True, ["a.example", "y.a.example"], ["x.a.example", "z.x.a.example", "aa.example"]),
        (".a.example", False, ["x.a.example", "x.y.a.example"], ["a.example"]),
        ("/file, c.example", None, ["in.file", "second.file", "c.example"], ["# comment", "out.file"]),
        ("!/file, out.file, in.file", None, ["out.file"], ["in.file"]),
        ("lmdb:/t", True, ["tabled.example", "x.tabled.example"], ["other.example"]),
        ("lmdb:/t", None, ["tabled.example"], ["x.tabled.example"]),
        ("!lmdb:/t, tabled.example, d.example", None, ["d.example"], ["tabled.example"]),
        ("regexp:/r", True, ["whole.example"], ["x.whole.example"]),
    ],
)
def test_a_list_of_domains_has_the_members_that_postfix_gives_it(
    value: str, parents_match: bool | None, members: list[str], strangers: list[str]
) -> None:
    patterns = parse_patterns(
        words(value),
        lambda _path: "in.file\n# comment\nsecond.file\n",
        lambda name: Table(name, takes_parts=not name.startswith("regexp")),
    )
    listed = DomainList("relay_domains", tuple(patterns), parents_match)
    answers: dict[Lookup, LookupResult] = {
        Lookup("lmdb:/t", "tabled.example"): "x",
        Lookup("regexp:/r", "whole.example"): "x",
    }
    assert [name for name in members if walk(find_member(listed, name), answers) is None] == []
    assert [name for name in strangers if walk(find_member(listed, name), answers) is not None] == []


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), max_size=6))
def test_ways_walked_together_end_as_each_alone_and_take_as_many_rounds_as_the_longest(ways: list[list[int]]) -> None:
    def way(keys: list[int]) -> Asking[list[LookupResult]]:
        heard = []
        for key in keys:
            question = Lookup("lmdb:/t", str(key))
            heard.append((yield (question,))[question])
        return heard

    answers: dict[Lookup, LookupResult] = {Lookup("lmdb:/t", str(key)): f"value {key}" for key in range(0, 6, 2)}
    asked: list[tuple[Lookup, ...]] = []
    assert walk(together([way(keys) for keys in ways]), answers, asked) == [walk(way(keys), answers) for keys in ways]
    assert len(asked) == max(map(len, ways), default=0)
    assert all(len(set(questions)) == len(questions) for questions in asked)
