# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the verdicts on other sites: what follows from which answers, and that nobody is believed without proof.

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import (
    ACCEPTS_EVERYTHING,
    PEER_NOT_ASKED,
    REFUSES,
    VERIFIED,
    Introduction,
    PeerAnswer,
    doubt,
    judge,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.peer_survey import survey_peers
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.transports import transport_of
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.verdicts import (
    CLASS_OF_VERDICT,
    STRICT_CLASSES,
    question_of,
    standing_verdicts,
    verdict_classes,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

YES = PeerAnswer(250, "250 2.1.5 Ok")
UNKNOWN = PeerAnswer(550, "550 5.1.1 User unknown")
BLOCKED = PeerAnswer(554, "554 5.7.1 blocked")
LATER = PeerAnswer(450, "450 4.2.0 greylisted")
SILENT = PeerAnswer(None, "nothing listens there")
SPENT = PeerAnswer(550, "550 5.5.3 too many recipients")
UNSAID = PeerAnswer(503, "503 5.5.1 what?")
ANSWERS = st.sampled_from([YES, UNKNOWN, BLOCKED, LATER, SILENT, SPENT, UNSAID])
EARLIER = st.sampled_from([None, VERIFIED, ACCEPTS_EVERYTHING, REFUSES, PEER_NOT_ASKED])


@pytest.mark.parametrize(
    ("known", "stranger", "verdict"),
    [
        (YES, UNKNOWN, VERIFIED),
        (YES, PeerAnswer(550, "550 User unknown"), VERIFIED),
        (YES, PeerAnswer(550, "550 5.4.1 Recipient address rejected: Access denied"), VERIFIED),
        (YES, PeerAnswer(554, "554 5.7.1 no such user"), VERIFIED),
        (YES, YES, ACCEPTS_EVERYTHING),
        (LATER, YES, ACCEPTS_EVERYTHING),
        (UNKNOWN, UNKNOWN, REFUSES),
        (BLOCKED, BLOCKED, REFUSES),
        (BLOCKED, YES, REFUSES),
        (BLOCKED, LATER, REFUSES),
    ],
)
@given(earlier=EARLIER)
def test_answers_that_decide_do_so_whatever_was_found_before(
    known: PeerAnswer, stranger: PeerAnswer, verdict: str, earlier: str | None
) -> None:
    assert judge(known, stranger, earlier) == verdict


@pytest.mark.parametrize(
    ("known", "stranger"),
    [(SILENT, SILENT), (LATER, LATER), (LATER, UNKNOWN), (YES, LATER), (YES, SPENT), (YES, UNSAID)],
)
@given(earlier=EARLIER)
def test_answers_that_decide_nothing_leave_what_was_found_before(
    known: PeerAnswer, stranger: PeerAnswer, earlier: str | None
) -> None:
    assert judge(known, stranger, earlier) == (earlier or PEER_NOT_ASKED)


@given(ANSWERS, ANSWERS, EARLIER)
def test_nobody_becomes_verified_but_by_taking_the_one_and_refusing_the_other(
    known: PeerAnswer, stranger: PeerAnswer, earlier: str | None
) -> None:
    if judge(known, stranger, earlier) == VERIFIED and earlier != VERIFIED:
        assert known.is_yes
        assert stranger.is_refusal


@given(ANSWERS, ANSWERS, EARLIER)
def test_the_same_answers_again_change_nothing(known: PeerAnswer, stranger: PeerAnswer, earlier: str | None) -> None:
    once = judge(known, stranger, earlier)
    assert judge(known, stranger, once) == once


@given(ANSWERS, ANSWERS, EARLIER)
def test_a_run_is_silent_only_about_a_site_that_it_found_verified(
    known: PeerAnswer, stranger: PeerAnswer, earlier: str | None
) -> None:
    verdict = judge(known, stranger, earlier)
    found = doubt("verify@example.com", known, stranger, verdict)
    assert (found is None) == (verdict == VERIFIED and known.is_yes and stranger.refuses_the_recipient)


def settings(address: str | None = "verify@example.com", **more: object):  # type: ignore[no-untyped-def]
    peer = {"site": "cloud", "relay": {"host": "198.51.100.20"}, "verification_address": address}
    return parse_settings({"domain": "example.com", "unknown": "cloud", "peers": [peer], **more})


INTRODUCTION = Introduction("mx1.example.com", "double-bounce@mx1.example.com")


def test_a_relay_of_many_domains_is_asked_once_for_all_of_them() -> None:
    asked: list[tuple[Relay, list[str]]] = []

    def ask(relay: Relay, recipients: list[str], introduction: Introduction) -> list[PeerAnswer]:
        assert introduction == INTRODUCTION
        asked.append((relay, recipients))
        return [YES if recipient.startswith("verify@") else UNKNOWN for recipient in recipients]

    names = ("example.com", "example.net", "example.org")
    entries = [settings(f"verify@{name}", domain=name) for name in names]
    survey = survey_peers(entries, {}, ask, INTRODUCTION)  # type: ignore[arg-type]
    assert survey.verdicts == dict.fromkeys(names, VERIFIED)
    assert survey.warnings == ()
    ((relay, recipients),) = asked
    assert relay == Relay("198.51.100.20")
    assert len(set(recipients)) == 6


@pytest.mark.parametrize("entry", [settings(None), settings(call_ahead=False), settings(unknown=None)])
def test_a_site_is_not_asked_where_its_answer_would_not_count(entry) -> None:  # type: ignore[no-untyped-def]
    def ask(*_arguments: object) -> list[PeerAnswer]:
        raise AssertionError("asked")

    assert survey_peers([entry], {}, ask, INTRODUCTION).verdicts == {}
    assert question_of(entry) is None


@given(st.sampled_from([*CLASS_OF_VERDICT]))
def test_a_verdict_is_read_back_from_the_table_of_domains(verdict: str) -> None:
    entry = settings()
    row = f"example.com\t{transport_of(Relay('198.51.100.20'))}\n"
    text = f"# ours\n?example.com\t{question_of(replace(entry, verdict=verdict))}\n"
    assert standing_verdicts(text + row, [entry]) == {"example.com": verdict}
    # What was found of another relay says nothing of this one.
    assert standing_verdicts(text + row.replace("100.20", "100.21"), [entry]) == {}
    assert standing_verdicts(text + row, [settings(None)]) == {}
    assert standing_verdicts("?example.com\tsplit_domain_call_ahead\n" + row, [entry]) == {}


def test_a_site_that_was_never_asked_is_not_believed() -> None:
    assert question_of(settings()) == CLASS_OF_VERDICT[PEER_NOT_ASKED]


def test_only_verified_sites_are_asked_ahead_and_all_others_mean_later() -> None:
    classes = verdict_classes()
    for verdict, name in CLASS_OF_VERDICT.items():
        for definition in (classes[name], classes[STRICT_CLASSES[name]]):
            assert ("reject_unverified_recipient" in definition) == (verdict == VERIFIED)
            assert ("{450 4." in definition) == (verdict != VERIFIED)
        assert classes[name].endswith(classes[STRICT_CLASSES[name]])


def split_map(**more: object) -> list[dict[str, object]]:
    sites: list[dict[str, object]] = [
        {"name": "hq", "role": "master", "hosts": ["mx1.example.com"], "unknown": "cloud"},
        {"name": "cloud", "relay": "mx.cloud.example.net", **more},
    ]
    return [{"domain": "example.com", "sites": sites}]


def test_the_verification_address_is_one_of_the_domain_in_any_spelling() -> None:
    (mapped,) = parse_split_map(split_map(verification_address=" Verify@EXAMPLE.com."))
    assert mapped.split_domain.site("cloud").verification_address == "verify@example.com"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("verify@example.org", "which is no address of example.com"),
        ("verify@cloud.example.com", "which is no address of example.com"),
        ("verify", "is not a mail address"),
        (["verify@example.com"], "write an address of example.com"),
        ('"a b"@example.com', "quoted local part"),
        ("a\r\nRCPT TO:<b>@example.com", "white space or a control character"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(address: object, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        parse_split_map(split_map(verification_address=address))


def test_two_sites_do_not_have_the_same_verification_address() -> None:
    entries = split_map(verification_address="verify@example.com")
    entries[0]["sites"][0]["verification_address"] = "VERIFY@example.com"  # type: ignore[index]
    with pytest.raises(InvalidInput, match="the sites hq and cloud of example.com have the same verification address"):
        parse_split_map(entries)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ((YES, UNKNOWN), (YES, UNKNOWN), VERIFIED),
        ((SILENT, SILENT), (YES, UNKNOWN), VERIFIED),
        ((YES, UNKNOWN), (SILENT, SILENT), VERIFIED),
        ((YES, UNKNOWN), (YES, YES), ACCEPTS_EVERYTHING),
        ((YES, UNKNOWN), (BLOCKED, BLOCKED), REFUSES),
        ((SILENT, SILENT), (LATER, LATER), PEER_NOT_ASKED),
    ],
)
def test_a_site_of_two_servers_is_believed_as_long_as_none_of_them_speaks_against_it(
    first: tuple[PeerAnswer, PeerAnswer], second: tuple[PeerAnswer, PeerAnswer], verdict: str
) -> None:
    said = {"a": first, "b": second}
    peer = {"site": "cloud", "relays": [{"host": "a"}, {"host": "b"}], "verification_address": "v@example.com"}
    entry = parse_settings({"domain": "example.com", "unknown": "cloud", "peers": [peer]})
    survey = survey_peers([entry], {}, lambda server, _asked, _introduction: said[server.host], INTRODUCTION)
    assert survey.verdicts == {"example.com": verdict}
    assert len(survey.warnings) == (verdict != VERIFIED)
