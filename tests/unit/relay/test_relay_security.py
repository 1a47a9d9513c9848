# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of TLS policies and logins of relays: what is read, what Postfix is told, and that no password is shown.

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown
from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import (
    password_arguments,
    probe_arguments,
    server_arguments,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import parse_destination
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.passwords import (
    hidden_diff,
    plan_logins,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.split import table_text
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.compile.tls_policies import policy_rows
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import (
    Relay,
    login_warnings,
    parse_relay,
    refuse_two_policies,
)

SECRET = " ".join(["a", "very", "secret", "word"])
SHA256 = "AB" * 32
COLONS = ":".join(["AB"] * 32)
PRINTED = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1).filter(
    str.isprintable
)


def relay(**more: Any) -> Relay:
    return parse_relay({"host": "mx.example.net", **more}, "the relay of x")


@pytest.mark.parametrize(
    ("written", "policy"),
    [
        ({}, None),
        ({"tls": "may"}, None),
        ({"tls": "none"}, "none"),
        ({"tls": "encrypt"}, "encrypt"),
        ({"tls": "dane"}, "dane"),
        ({"tls": "dane-only"}, "dane-only"),
        ({"tls": "verify"}, "verify match=mx.example.net"),
        (
            {"tls": "verify", "tls_names": ["b.example.net", "A.example.net."]},
            "verify match=a.example.net:b.example.net",
        ),
        ({"tls": "fingerprint", "fingerprints": [SHA256.lower()]}, f"fingerprint match={COLONS}"),
        (
            {"tls": "fingerprint", "fingerprints": [f" {COLONS} ", "CD" * 32]},
            f"fingerprint match={COLONS}|{COLONS.replace('AB', 'CD')}",
        ),
    ],
)
def test_each_policy_has_its_row(written: dict[str, Any], policy: str | None) -> None:
    found = policy_rows([relay(**written)], {})
    assert found == ({} if policy is None else {"[mx.example.net]:25": policy})


def test_a_sub_domain_takes_the_certificates_of_all_servers_of_its_site() -> None:
    both = parse_relay([{"host": "b.example.net", "tls": "verify"}, {"host": "a.example.net", "tls": "verify"}], "x")
    rows = policy_rows([], {"cloud.example.com": both, "hq.example.com": relay()})
    assert rows == {"cloud.example.com": "verify match=a.example.net:b.example.net"}


def test_what_is_written_out_of_a_relay_is_read_again_without_its_password() -> None:
    known = relay(tls="verify", tls_names=["a.example.net"], username="u", port=587)
    full = replace(known, password=SECRET)
    assert SECRET not in str(full) + repr(full) + json.dumps(full.as_arguments())
    assert parse_relay(full.as_arguments(), "x") == relay(
        tls="verify", tls_names=["a.example.net"], username="u", port=587
    )


@pytest.mark.parametrize("password", ["", " a", "a ", "a\nb", "a\tb", "a\0b", "a\x7f", 12, ["a"], True])
def test_a_password_that_a_table_cannot_hold_is_refused_without_telling_it(password: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        relay(tls="encrypt", username="u", password=password)
    assert str(refusal.value).startswith("the relay of x has a password that cannot be used: write a text without")


@pytest.mark.parametrize(
    "wrong",
    [
        {"relay": {"password": SECRET, "host": "mx", "frobnicate": 1}},
        {"relay": [{"password": SECRET}]},
        {"relay": [[{"password": SECRET}]]},
        {"relay": {"host": "mx", "password": SECRET}},
        {"relay": {"host": "mx", "tls": "encrypt", "username": "u", "password": f"{SECRET}\n"}},
        {"hosts": {"password": SECRET}},
        {"clients": [{"password": SECRET}], "relay": "mx"},
        {"name": {"password": SECRET}},
        {"directory": [{"password": SECRET}], "relay": {"host": "mx", "password": SECRET}},
    ],
)
def test_no_refusal_of_a_map_shows_a_password(wrong: dict[str, Any]) -> None:
    sites = [{"name": "hq", "role": "master", "relay": "mx1"}, {"name": "cloud", **wrong}]
    for entries in ([{"domain": "example.com", "sites": sites}], sites, sites[1]):
        with pytest.raises(InvalidInput) as refusal:
            parse_split_map(entries)
        assert SECRET not in str(refusal.value)


def test_no_refusal_of_a_destination_shows_a_password() -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_destination({"port": 25, "password": SECRET}, "x")
    assert SECRET not in str(refusal.value)
    assert SECRET not in shown([{"a": {"password": SECRET}}])


SITES = [
    {"name": "hq", "role": "master", "hosts": ["mx1"]},
    {
        "name": "hosted",
        "relay": [
            {"host": "in.example.net", "port": 587, "tls": "encrypt", "username": "u", "password": SECRET},
            {"host": "in2.example.net", "tls": "verify"},
        ],
    },
]
MAP = [{"domain": "example.com", "sites": SITES}]


def test_a_password_is_for_the_servers_that_send_to_its_relay_and_in_no_other_plan() -> None:
    assert password_arguments(MAP, "mx1") == [{"host": "in.example.net", "port": 587, "password": SECRET}]
    assert password_arguments(MAP, "stranger") == []
    assert password_arguments([{**MAP[0], "state": "absent"}], "mx1") == []
    plans = [server_arguments(MAP, "mx1"), probe_arguments(MAP, "mx1", 5)]
    assert SECRET not in json.dumps(plans)
    (peer,) = server_arguments(MAP, "mx1")["domains"][0]["peers"]
    assert [one.get("username") for one in peer["relays"]] == ["u", None]


def test_probes_ask_with_the_policy_of_the_relay_and_all_that_it_matches() -> None:
    rows = [{"address": "bob@example.com", "site": "hosted"}]
    relays = [*SITES[1]["relay"], {"host": "in3.example.net", "tls": "fingerprint", "fingerprints": [SHA256]}]  # type: ignore[misc]
    sites = [
        SITES[0],
        {**SITES[1], "relay": [*relays, {"host": "192.0.2.1", "tls": "verify", "tls_names": ["a.example"]}]},
    ]
    probes = probe_arguments([{"domain": "example.com", "sites": sites, "directory": rows}], "mx1", 5)
    policies = [
        {key: found for key, found in one.items() if key not in ("host", "port", "recipients")} for one in probes
    ]
    assert policies == [
        {"tls": "encrypt", "username": "u", "validate_certs": False},
        {"tls": "verify"},
        {"tls": "fingerprint", "fingerprints": [COLONS]},
        {"tls": "verify", "tls_names": ["a.example"]},
    ]


def test_a_password_that_goes_to_whoever_answers_is_warned_of() -> None:
    login = {"username": "u", "password": SECRET}
    proven = [{"tls": "verify"}, {"tls": "fingerprint", "fingerprints": [SHA256]}, {"tls": "dane-only"}]
    assert login_warnings(relay(**policy, **login) for policy in proven) == ()
    assert login_warnings([relay(tls="encrypt")]) == ()
    (warning,) = login_warnings([relay(tls="encrypt", **login), relay(tls="encrypt", **login)])
    assert "its password goes to whoever answers there" in warning and SECRET not in warning


def test_one_relay_has_one_login_and_one_certificate() -> None:
    one, other = relay(tls="encrypt", username="u"), relay(tls="encrypt", username="v")
    refuse_two_policies([one, one])
    with pytest.raises(InvalidInput, match="is named twice, with different certificates or logins"):
        refuse_two_policies([one, other])


@given(PRINTED, PRINTED.filter(lambda name: ":" not in name))
def test_a_password_stays_in_the_table_until_another_is_given(password: str, username: str) -> None:
    server = relay(tls="encrypt", username=username)
    rows = plan_logins([server], {"[mx.example.net]:25": password}, "")
    assert rows == {"[mx.example.net]:25": f"{username}:{password}"}
    table = table_text(rows.items())
    assert plan_logins([server], {}, table) == rows
    assert plan_logins([relay()], {}, table) == {}
    with pytest.raises(InvalidInput, match="and no password"):
        plan_logins([relay(tls="encrypt", username=f"{username}x")], {}, table)


def test_a_diff_of_passwords_shows_places_and_names_alone() -> None:
    before, after = ({"[mx.example.net]:25": f"u:{SECRET}{more}"} for more in ("", "2"))
    changed = hidden_diff("passwords", table_text(before.items()), table_text(after.items()))
    new = hidden_diff("passwords", "", table_text(after.items()))
    assert (changed.before, changed.after) == ("a password\n", "another password\n")
    assert (new.before, new.after) == ("", "[mx.example.net]:25\tu:********\n")
