# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what is taken for a secret wherever it stands, and of what is not, so that messages stay readable.

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import (
    HIDDEN,
    host_without_secrets,
    name_without_secrets,
    secrets_in,
    told,
    without_secrets,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown

S = "correct horse"
WORD = "correct.horse"
RELAY = {"host": {"type": "str"}, "port": {"type": "int"}, "password": {"type": "str", "no_log": True}}
SPEC = {
    "host": {"type": "str"},
    "username": {"type": "str"},
    "key_name": {"type": "str"},
    "relays": {"type": "list", "elements": "dict", "options": RELAY},
    "relay": {"type": "dict", "options": RELAY},
    "entries": {"type": "raw"},
    "content": {"type": "str"},
    "secret": {"type": "bool"},
    "parameters": {"type": "dict"},
    "recipients": {"type": "list", "elements": "raw"},
    "peers": {"type": "list", "elements": "dict", "options": {"site": {"type": "str"}, "relay": {"options": RELAY}}},
    "to": {"type": "raw"},
    "sites": {"type": "dict"},
    "tls": {"type": "str", "choices": ["none", "may", "verify"]},
    "purge": {"type": "bool"},
    "key_algorithm": {"type": "str"},
    "unknown": {"type": "str"},
    "fingerprints": {"type": "list", "elements": "str"},
    "addresses": {"type": "list", "elements": "str"},
    "clients": {"type": "list", "elements": "str"},
}


@pytest.mark.parametrize(
    "arguments",
    [
        {"passwrod": S},
        {"kennwort": S},
        {"kennwort": [{"x": [S]}]},
        {"relay": {"host": "h", "pw": S}},
        {"relay": {"password": S}},
        {"relay": {"h": S}},
        {"relay": [S]},
        {"relays": [S]},
        {"relays": {"h": S}},
        {"relays": [{"host": "h"}, {"host": "i", "kennwort": {"vault": S}}]},
        {"relays": json.dumps([{"host": "h", "kennwort": S}])},
        {"relay": json.dumps({"host": "h", "kennwort": S})},
        {"username": f"u:{S}"},
        {"key_name": f"hmac-sha256:name:{S}"},
        {"host": f"u:{S}"},
        {"host": f"{S}@mx.example.net"},
        {"entries": {"a": "b"}, "relay": {"host": "h", "port": f"u:{WORD}@h"}},
        {"entries": {"to": {"password": S}}},
        {"recipients": [{"address": "x", "anything": S}]},
        {"recipients": [{"address": "x", "expect": S}]},
        {"peers": [["c", S]]},
        {"peers": S},
        {"relay": {"host": "h", "port": S}},
        {"relay": {"host": "h", "port": f"587:{S}"}},
        {"relay": {"host": "h", f"u:{WORD}": 1}},
        {"relay": {"host": "h", WORD: 1}},
        {"to": f"[h]:587 u:{WORD}"},
        {"to": ["h", "correct-horse", S]},
        {"to": {"host": "h", "tls": f"verify:{WORD}"}},
        {"to": {"host": "h", "port": f"25:{WORD}"}},
        {"to": {"host": "h", f"u:{WORD}": 1}},
        {"sites": {"cloud": f"h u:{WORD}"}},
        {"tls": f"verify:{WORD}"},
        {"tls": WORD},
        {"purge": WORD},
        {"username": f"u\n{WORD}"},
        {"username": f"u\t{WORD}"},
        {"username": f"u {WORD}\n"},
        {"username": ["u", S]},
        {"key_name": f"k {WORD}"},
        {"key_algorithm": f"hmac-sha256:{WORD}"},
        {"unknown": f"u:{WORD}"},
        {"fingerprints": [S]},
        {"addresses": [f"1.2.3.4 {WORD}"]},
        {"clients": [f"1.2.3.0/24 {WORD}"]},
        {"host": f"h u {WORD}"},
        {"host": f"smtp://h/?password={WORD}"},
        {"parameters": {"smtp_sasl_password_maps": {"value": f"static:{{u:{WORD}}}"}}},
        {"parameters": [{"name": "smtp_sasl_password_maps", "value": f"static:u:{WORD}"}]},
    ],
)
def test_what_stands_where_no_secret_belongs_is_one(arguments: dict[str, Any]) -> None:
    found = secrets_in(arguments, SPEC)
    assert WORD not in without_secrets(json.dumps(arguments), found)
    assert S not in without_secrets(json.dumps(arguments), found)


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": "mx1.example.com", "username": "atlanta@example.com", "relay": {"host": "192.0.2.1", "port": 587}},
        {"host": "mx1.example.com:587"},
        {"host": "2001:db8::25"},
        {"host": "[2001:db8::25]:587"},
        {"relays": [{"host": "[2001:db8::25]:587"}, {"host": "fe80::1%eth0"}]},
        {"recipients": ["ann@example.com", {"address": "postmaster@[IPv6:2001:db8::1]", "expect": "accepted"}]},
        {"entries": {"postmaster@example.com": "lmtp:unix:private/dovecot", "compass@example.com": "relay:[mx]:25"}},
        {"parameters": {"smtp_sasl_password_maps": "lmdb:/etc/postfix/sasl_passwd", "smtpd_tls_auth_only": True}},
        {"parameters": {"mynetworks": "127.0.0.0/8 [::1]/128", "transport_maps": "inline:{{x=smtp:[h]:25}}"}},
        {"secret": False, "entries": {"a": "some value"}, "content": "a value\n"},
        {"key_name": "mail-update.example.com."},
        {"_ansible_remote_tmp": "~/.ansible/tmp", "_ansible_version": "2.19.0"},
        {"relay": {"pw": "abc", "hots": True, "passwrod": None}},
        {"to": "local", "sites": {"a": "[h.example.net]:25,[2001:db8::1]:25", "b": "2001:db8::1", "c": {"host": "h"}}},
        {"to": ["mx1.example.net", "[mx2]:587", "bob@cloud.example.com"]},
        {"tls": "verifi", "purge": "yes", "username": "Ann Example", "key_algorithm": "hmac-sha256"},
        {"fingerprints": ["ab" * 32, ":".join(["AB"] * 32)], "addresses": ["192.0.2.1", "2001:db8::1"]},
        {"clients": ["192.0.2.0/24", "2001:db8::/32", "[2001:db8::1]", "mx.example.net", "b\u00fccher.example"]},
    ],
)
def test_what_may_be_shown_is_no_secret(arguments: dict[str, Any]) -> None:
    assert {one for one in secrets_in(arguments, SPEC) if one} == set()


@pytest.mark.parametrize("key", ["password", "Password", "passwrod", "pasword", "passord", "sasl_passwd", "key_secert"])
def test_without_a_spec_the_name_of_a_key_tells_also_misspelt(key: str) -> None:
    assert S in secrets_in([{"domain": "example.com", "sites": [{"relay": {key: [S, 12345]}}]}])
    assert "12345" in secrets_in({key: 12345})


def test_the_sites_of_a_split_map_are_no_next_hops() -> None:
    assert secrets_in([{"sites": [{"name": "${x}", "local_transport": "lmtp:unix:private/x"}]}]) == set()


@pytest.mark.parametrize(
    "key", ["postmaster", "directory", "address", "preference", "passage", "host", "pass@example.com"]
)
def test_names_of_other_things_are_not_taken_for_it(key: str) -> None:
    assert secrets_in({key: "something"}) == set()


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"the host 'smtp://u:{WORD}@mx.example.net' is", f"the host 'smtp://u:{HIDDEN}@mx.example.net' is"),
        (f"smtp://{WORD}@mx.example.net", f"smtp://{HIDDEN}@mx.example.net"),
        (f"u:{WORD}@h", f"u:{HIDDEN}@h"),
        (f"u:a@{WORD}@h", f"u:{HIDDEN}@h"),
        (f'key "x" {{ secret "{WORD}"; }};', f'key "x" {{ secret "{HIDDEN}"; }};'),
        ("ann@example.com said: 550 <bob@example.com>: no", "ann@example.com said: 550 <bob@example.com>: no"),
        ("lmtp:unix:private/x and [::1]:25", "lmtp:unix:private/x and [::1]:25"),
    ],
)
def test_a_text_is_shown_without_what_looks_like_a_login(text: str, hidden: str) -> None:
    assert without_secrets(text) == hidden


def test_hosts_and_user_names_are_shown_without_what_is_beside_them() -> None:
    assert host_without_secrets(f"smtp://u:{S}@mx.example.net:25") == f"smtp://{HIDDEN}@mx.example.net:25"
    assert host_without_secrets(f"mx.example.net:{S}") == f"mx.example.net:{HIDDEN}"
    assert host_without_secrets("mx.example.net:587") == "mx.example.net:587"
    assert host_without_secrets("2001:db8::1") == "2001:db8::1"
    assert host_without_secrets(f"mx.example.net u {S}") == f"mx.example.net {HIDDEN}"
    assert host_without_secrets("h.example.net:deadbeefcafe0123deadbeef") == f"h.example.net:{HIDDEN}"
    assert host_without_secrets("be.ad:deadbeef") == f"be.ad:{HIDDEN}"
    assert host_without_secrets(f"smtp://h/?password={S}") == f"smtp://h/{HIDDEN}"
    assert host_without_secrets("mx1..example.com") == "mx1..example.com"
    assert host_without_secrets('correct"horse') == host_without_secrets("correct\\horse") == HIDDEN
    assert name_without_secrets(f"u:{S}:x") == f"u:{HIDDEN}"
    assert name_without_secrets(f"u\n{S}") == f"u{HIDDEN}"
    assert name_without_secrets(f"u {S}\n") == f"u {HIDDEN}"
    assert name_without_secrets("clowd") == "clowd"


def test_of_a_word_that_may_be_a_secret_its_kind_is_told_and_a_misspelling_shown() -> None:
    known = ("username", "port", "verify")
    assert [kind_of(word, known) for word in ("usernam", "user", "prot", "verifi")] == [
        *("'usernam'", "'user'", "'prot'", "'verifi'"),
    ]
    for secret in (S, WORD, f"u:{WORD}", "S3cr3tKanarie", "12345678901234", "us", "x" * 30):
        assert kind_of(secret, known) == "a text that is not shown"
    assert [kind_of(value) for value in (None, True, 587, "587", [S], {S: S}, 10**9)] == [
        *("nothing", "True", "587", "'587'", "a list", f"a mapping of {HIDDEN}", "a number that is not shown"),
    ]


@given(st.text(min_size=4))
def test_a_secret_is_hidden_however_python_or_json_write_it(secret: str) -> None:
    arguments = {"passwrod": secret, "host": "h"}
    found = secrets_in(arguments, SPEC)
    for text in (secret, str(arguments), str([str(arguments)]), repr({"x": [arguments]}), str({"p": str([secret])})):
        assert told(ValueError(text), arguments) == without_secrets(text, found)
        assert repr(secret)[1:-1] not in without_secrets(text, found).replace(HIDDEN, "\0") or set(secret) <= set(
            "*'\"[]{}:, \\abcdefghijklmnopqrstuvwxyz"
        )


@pytest.mark.parametrize("value", [{"password": S}, [{"passwrod": S}], [[S, {"x": S}]], (("a", {"b": S}),)])
def test_messages_show_of_mappings_their_keys_alone(value: Any) -> None:
    if isinstance(value, list) and isinstance(value[0], list):
        value = [[{"x": S}]]
    assert S not in shown(value)


@pytest.mark.parametrize(
    "hostile",
    ["=:" * 30_000 + "@", "a:" * 30_000 + "@", "://" * 30_000 + "@", "secret " * 30_000, "x:@" * 30_000, " :" * 30_000],
)
def test_hostile_texts_take_no_time(hostile: str) -> None:
    started = time.monotonic()
    without_secrets(hostile)
    host_without_secrets(hostile)
    secrets_in({"host": hostile, "username": hostile, "entries": {hostile[:1000]: hostile}, "key_file": hostile}, SPEC)
    assert time.monotonic() - started < 3
