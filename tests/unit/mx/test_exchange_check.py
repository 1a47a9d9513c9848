# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the look at exchanges before MX sets are published: whom it asks, and what it makes of the answers.

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import exchange_probe_arguments
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchange_check import exchange_objections

MX1, MX2, OLD = "mx1.example.com", "mx2.example.com", "old.example.net"
ACCEPTED = {"code": 250, "enhanced": "2.1.5", "text": "Ok", "verdict": "accepted"}
DEFERRED = {"code": 450, "enhanced": None, "text": "Later", "verdict": "deferred"}
REFUSED = {"code": 554, "enhanced": "5.7.1", "text": "Relay access denied", "verdict": "refused"}
SPLIT_MAP: list[dict[str, Any]] = [
    {
        "domain": "example.com",
        "directory": [
            {"address": "alice@example.com", "site": "hq"},
            {"address": "arno@example.com", "site": "hq"},
            {"address": "bob@example.com", "site": "cloud"},
        ],
        "sites": [
            {"name": "hq", "role": "master", "hosts": [MX1]},
            {"name": "cloud", "hosts": ["mx.cloud.example.net"], "subdomain": "cloud.example.com"},
        ],
    }
]


def mx(*records: tuple[int, str]) -> dict[str, Any]:
    return {"ttl": 60, "mx": [{"preference": preference, "exchange": exchange} for preference, exchange in records]}


def published(name: str, *records: tuple[int, str], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Give what mx_records would return in check mode for one set."""
    before = mx((10, OLD)) if before is None else before
    after = mx(*records)
    return {
        "record_sets": [
            {"name": name, "zone": name, "before": before, "after": after, "changed": before != after},
        ],
        "exchanges": [{"exchange": exchange, "addresses": ["192.0.2.25"]} for _preference, exchange in records],
    }


def answered(host: str, **answers: dict[str, Any]) -> dict[str, Any]:
    """Give what a probe of an exchange returns; the answers are by user of example.com."""
    recipients = [{"address": f"{user}@example.com", **answer} for user, answer in answers.items()]
    return {"item": {"host": host}, "recipients": recipients, "tls": None}


def failed(host: str, message: str, code: int | None = None) -> dict[str, Any]:
    reply = {} if code is None else {"reply": {"code": code, "enhanced": None, "text": ""}}
    return {"item": {"host": host}, "failed": False, "msg": message, **reply}


def test_each_exchange_is_asked_for_postmaster_and_an_address_of_each_site() -> None:
    assert exchange_probe_arguments(SPLIT_MAP, published("example.com", (10, MX1), (20, MX2))) == [
        {
            "host": host,
            "addresses": ["192.0.2.25"],
            "recipients": ["postmaster@example.com", "alice@example.com", "bob@example.com"],
        }
        for host in (MX1, MX2)
    ]


def test_a_sub_domain_is_asked_for_with_an_address_that_lives_on_its_site() -> None:
    (probe,) = exchange_probe_arguments(SPLIT_MAP, published("cloud.example.com", (10, MX2)))
    assert probe["recipients"] == ["postmaster@cloud.example.com", "bob@cloud.example.com"]


def test_an_exchange_of_two_sets_is_asked_once_for_both() -> None:
    both = published("example.com", (10, MX1))
    both["record_sets"] += published("cloud.example.com", (10, MX1))["record_sets"]
    (probe,) = exchange_probe_arguments(SPLIT_MAP, both)
    assert [address.partition("@")[2] for address in probe["recipients"]] == [
        *["example.com"] * 3,
        *["cloud.example.com"] * 2,
    ]


@pytest.mark.parametrize(
    "unchanged",
    [
        published("example.com", (10, MX1), before=mx((10, MX1))),
        published("example.com", (10, MX1), before={**mx((10, MX1)), "ttl": 3600}),
        published("example.com", (0, ".")),
        published("example.com"),
        {"skipped": True, "changed": False},
    ],
    ids=["the same", "another TTL", "null MX", "removed", "a skipped task"],
)
def test_what_attracts_no_new_mail_needs_no_question(unchanged: dict[str, Any]) -> None:
    # The directory does not exist, and is not looked for either.
    assert exchange_probe_arguments([{**SPLIT_MAP[0], "directory": "nowhere.csv"}], unchanged) == []
    assert exchange_objections(unchanged, []) == []


@pytest.mark.parametrize(
    "answers",
    [
        {"postmaster": ACCEPTED, "alice": ACCEPTED},
        {"postmaster": REFUSED, "alice": ACCEPTED},
        {"postmaster": REFUSED, "alice": DEFERRED},
        {"postmaster": DEFERRED},
    ],
)
def test_one_recipient_that_is_not_refused_for_good_is_enough(answers: dict[str, Any]) -> None:
    assert exchange_objections(published("example.com", (10, MX1)), [answered(MX1, **answers)]) == []


def test_a_best_exchange_that_refuses_everybody_is_an_objection_with_its_own_words() -> None:
    (objection,) = exchange_objections(
        published("example.com", (10, MX1), (20, MX2)),
        [answered(MX1, postmaster=REFUSED, alice=REFUSED), answered(MX2, postmaster=ACCEPTED)],
    )
    assert objection == (
        "The exchange mx1.example.com of example.com, which senders try first, refuses its mail: it answered 554 5.7.1 "
        "Relay access denied to postmaster@example.com, and alike to 1 more; set the domain up there, or give another "
        "exchange the lowest preference."
    )


def test_a_server_of_debian_that_does_not_serve_the_domain_refuses_for_good_although_it_says_454() -> None:
    relay_denied = {"code": 454, "enhanced": "4.7.1", "text": "Relay access denied", "verdict": "deferred"}
    greylisted = {"code": 451, "enhanced": "4.7.1", "text": "Greylisted", "verdict": "deferred"}
    (objection,) = exchange_objections(published("example.com", (10, MX1)), [answered(MX1, alice=relay_denied)])
    assert "454 4.7.1 Relay access denied to alice@example.com" in objection
    assert exchange_objections(published("example.com", (10, MX1)), [answered(MX1, alice=greylisted)]) == []


def test_a_server_that_takes_one_domain_is_still_asked_for_the_other() -> None:
    both = published("example.com", (10, MX1))
    both["record_sets"] += published("cloud.example.com", (10, MX1))["record_sets"]
    probe = answered(MX1, alice=ACCEPTED)
    probe["recipients"].append({"address": "bob@cloud.example.com", **REFUSED})
    (objection,) = exchange_objections(both, [probe])
    assert objection.startswith("The exchange mx1.example.com of cloud.example.com, which senders try first,")


def test_each_of_two_exchanges_of_the_lowest_preference_has_to_take_the_mail() -> None:
    # Senders choose one of them at random, and a refusal for good ends their tries (RFC 5321 section 5.1).
    objections = exchange_objections(
        published("example.com", (10, MX1), (10, MX2)), [answered(MX1, alice=ACCEPTED), answered(MX2, alice=REFUSED)]
    )
    assert [MX2 in objection for objection in objections] == [True]


def test_a_worse_exchange_that_refuses_everybody_is_none() -> None:
    answers = [answered(MX1, alice=ACCEPTED), answered(MX2, alice=REFUSED)]
    assert exchange_objections(published("example.com", (10, MX1), (20, MX2)), answers) == []


@pytest.mark.parametrize("place", [10, 30])
def test_an_exchange_of_any_preference_that_cannot_be_asked_is_an_objection(place: int) -> None:
    answers = [answered(MX1, alice=ACCEPTED), failed(MX2, "nothing listens on mx2.example.com port 25")]
    objections = exchange_objections(published("example.com", (20, MX1), (place, MX2)), answers)
    assert objections == [
        "The exchange mx2.example.com of example.com takes no mail: nothing listens on mx2.example.com port 25."
    ]


@pytest.mark.parametrize(("code", "is_refused"), [(421, False), (450, False), (521, True), (554, True), (None, True)])
def test_a_server_that_says_not_now_takes_mail_and_one_that_says_no_takes_none(
    code: int | None, is_refused: bool
) -> None:
    objections = exchange_objections(published("example.com", (10, MX1)), [failed(MX1, f"greets with {code}", code)])
    assert bool(objections) is is_refused


@given(st.lists(st.sampled_from([ACCEPTED, DEFERRED, REFUSED]), min_size=1, max_size=5), st.booleans())
def test_the_best_exchange_is_refused_exactly_when_it_refuses_everybody(answers: list[Any], is_first: bool) -> None:
    probe = answered(MX1, **{f"user{number}": answer for number, answer in enumerate(answers)})
    records = [(10, MX1)] if is_first else [(5, MX2), (10, MX1)]
    objections = exchange_objections(published("example.com", *records), [probe])
    assert bool(objections) == (is_first and all(answer is REFUSED for answer in answers))
