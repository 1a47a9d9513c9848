# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of our part of somebody else's main.cf: it stands as wanted, and what was there comes back byte for byte.

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import SplitConfiguration
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import (
    add_elements,
    has_element,
    words,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.saved_parameters import (
    SavedParameters,
    give_back,
    lay_over,
)

# What postconf(1) would print of a server that sets nothing.
DEFAULTS = {
    "transport_maps": "",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    "virtual_mailbox_domains": "$virtual_mailbox_maps",
    "poll_delay": "3s",
}
LISTS = ("transport_maps", "smtpd_relay_restrictions", "virtual_mailbox_domains")
LINES = st.sampled_from(
    [
        "transport_maps = hash:/etc/postfix/transport",
        "transport_maps=",
        "transport_maps = lmdb:/a,",
        "  lmdb:/b",
        "\tlmdb:/c, inline:{ {a = b}, {c = d} }",
        "smtpd_relay_restrictions =",
        "smtpd_relay_restrictions = permit_mynetworks,",
        "    reject_unauth_destination",
        "   check_client_access cidr:/theirs",
        "virtual_mailbox_domains  =  example.net  ",
        "virtual_mailbox_domains = $theirs",
        "poll_delay = 7s",
        "poll_delay = 1s",
        "ours = theirs",
        "myhostname = mx1.example.com",
        "# a comment",
        "   # a comment that stands apart",
        "#transport_maps = no",
        "",
        "   ",
        "junk",
    ]
)
TEXTS = st.builds(
    lambda lines, end: "\n".join(lines) + end, st.lists(LINES, max_size=8), st.sampled_from(["\n", "", "\n\n"])
)
FIRST = st.lists(
    st.sampled_from(["$ours", "$ours_too", "check_client_access cidr:/ours", "unionmap:{$a,pipemap:{b,{c d}}}"]),
    min_size=1,
    max_size=3,
    unique=True,
)


@st.composite
def configurations(draw: st.DrawFn) -> SplitConfiguration:
    """Parts of ours: elements at either end of some lists, and some whole values."""
    lists = draw(st.lists(st.sampled_from(LISTS), min_size=1, unique=True))
    split = draw(st.integers(0, len(lists)))
    names = draw(st.lists(st.sampled_from(["ours", "ours_too", "poll_delay"]), unique=True))
    return SplitConfiguration(
        indexed_tables={},
        plain_tables={},
        first={name: tuple(draw(FIRST)) for name in lists[:split]},
        last={name: tuple(draw(FIRST)) for name in lists[split:]},
        values={name: draw(st.sampled_from(["1s", "static:a", "pipemap:{a, b}"])) for name in names},
    )


def in_force(main_cf: MainCf) -> dict[str, str]:
    """Give what postconf(1) would print."""
    return {**DEFAULTS, **{name: main_cf.value(name) or "" for name in main_cf.names()}}


def lay(main_cf: MainCf, saved: SavedParameters, wanted: SplitConfiguration) -> tuple[MainCf, SavedParameters]:
    """Lay our part over main.cf; the saved parameters go through their file, as on a server."""
    new, new_saved = lay_over(main_cf, in_force(main_cf), saved, wanted)
    return new, SavedParameters.from_json(json.loads(json.dumps(new_saved.as_json())))


@given(TEXTS, configurations())
def test_main_cf_comes_back_byte_for_byte(text: str, wanted: SplitConfiguration) -> None:
    assert give_back(*lay(MainCf(text), SavedParameters(), wanted)).text == text


@given(TEXTS, st.lists(configurations(), min_size=2, max_size=4))
def test_main_cf_comes_back_byte_for_byte_after_any_number_of_other_configurations(
    text: str, wanted: list[SplitConfiguration]
) -> None:
    main_cf, saved = MainCf(text), SavedParameters()
    for configuration in wanted:
        main_cf, saved = lay(main_cf, saved, configuration)
    assert give_back(main_cf, saved).text == text


@given(TEXTS, configurations())
def test_our_part_stands_as_wanted_and_theirs_stands_beside_it(text: str, wanted: SplitConfiguration) -> None:
    before = MainCf(text)
    after, _saved = lay(before, SavedParameters(), wanted)
    for name, elements in wanted.first.items():
        ours = words(", ".join(elements))
        assert words(after.value(name) or "")[: len(ours)] == ours
    for name, elements in wanted.last.items():
        ours = words(", ".join(elements))
        assert words(after.value(name) or "")[-len(ours) :] == ours
    for name, elements in {**wanted.first, **wanted.last}.items():
        for word in words(in_force(before)[name]):
            assert word in words(after.value(name) or "") or any(word in words(element) for element in elements)
    for name, value in wanted.values.items():
        assert after.value(name) == value
    untouched = set(before.names()) - {*wanted.first, *wanted.last, *wanted.values}
    assert {name: after.block(name) for name in untouched} == {name: before.block(name) for name in untouched}


@given(TEXTS, configurations())
def test_a_second_time_changes_nothing(text: str, wanted: SplitConfiguration) -> None:
    once = lay(MainCf(text), SavedParameters(), wanted)
    assert lay(*once, wanted) == once


@given(TEXTS, configurations(), configurations(), st.booleans())
def test_main_cf_comes_back_when_a_change_was_broken_off_before_or_after_main_cf_was_written(
    text: str, first: SplitConfiguration, second: SplitConfiguration, is_written: bool
) -> None:
    old, old_saved = lay(MainCf(text), SavedParameters(), first)
    new, new_saved = lay(old, old_saved, second)
    on_record = SavedParameters.from_json(json.loads(json.dumps(old_saved.joined(new_saved).as_json())))
    left = new if is_written else old
    assert give_back(left, on_record).text == text
    assert lay(left, on_record, second)[1] == new_saved
    assert give_back(*lay(left, on_record, second)).text == text


@given(TEXTS, configurations(), st.sampled_from(LISTS), st.sampled_from(["first", "last"]))
def test_what_others_add_to_a_list_meanwhile_survives(
    text: str, wanted: SplitConfiguration, name: str, position: str
) -> None:
    main_cf, saved = lay(MainCf(text), SavedParameters(), wanted)
    value = add_elements(in_force(main_cf)[name], ["lmdb:/somebody/elses"], position)  # type: ignore[arg-type]
    after = give_back(main_cf.with_value(name, value), saved)
    assert has_element(after.value(name) or "", "lmdb:/somebody/elses")
    theirs = [word for word in words(after.value(name) or "") if word != "lmdb:/somebody/elses"]
    assert theirs == list(words(in_force(MainCf(text))[name]))


@given(TEXTS, configurations(), st.sampled_from(["spam_filter = x\n", "# a remark\n"]))
def test_lines_that_others_add_meanwhile_survive(text: str, wanted: SplitConfiguration, line: str) -> None:
    before = MainCf(text + "\n")
    main_cf, saved = lay(before, SavedParameters(), wanted)
    assert give_back(MainCf(line + main_cf.text), saved).text == line + before.text


@given(TEXTS, configurations(), st.data())
def test_our_part_that_others_took_out_is_put_back(text: str, wanted: SplitConfiguration, data: st.DataObject) -> None:
    main_cf, saved = lay(MainCf(text), SavedParameters(), wanted)
    name = data.draw(st.sampled_from([*wanted.first, *wanted.last, *wanted.values]))
    repaired, saved = lay(main_cf.without(name), saved, wanted)
    for parameter, elements in {**wanted.first, **wanted.last}.items():
        assert all(has_element(repaired.value(parameter) or "", element) for element in elements)
    assert all(repaired.value(parameter) == value for parameter, value in wanted.values.items())


@given(TEXTS, configurations())
def test_a_value_of_ours_that_others_changed_is_left_to_them(text: str, wanted: SplitConfiguration) -> None:
    main_cf, saved = lay(MainCf(text), SavedParameters(), wanted)
    for name in wanted.values:
        main_cf = main_cf.with_value(name, "somebody elses")
    assert all(give_back(main_cf, saved).value(name) == "somebody elses" for name in wanted.values)


@given(TEXTS, configurations())
def test_our_elements_go_even_when_the_saved_parameters_were_lost(text: str, wanted: SplitConfiguration) -> None:
    main_cf, _lost = lay(MainCf(text), SavedParameters(), wanted)
    after = give_back(*lay(main_cf, SavedParameters(), wanted))
    for name in {**wanted.first, **wanted.last}:
        assert words(in_force(after)[name]) == words(in_force(MainCf(text))[name])
