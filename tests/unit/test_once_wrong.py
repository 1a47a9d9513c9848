# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of input that was once taken for something else, or told more than it should.

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import parse_wanted_sets
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import KeyOptions, signing_key
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.parameter_values import fault
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.postfix_map import parse_table_request
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import Entry, render
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import parse_path

ODD_WORD = "pa\\ss'w\"ord"


@pytest.mark.parametrize(
    "exchange", ["mx.b\u00fccher.example", "MX.XN--bcher-kva.Example.", "mx\u3002b\u00fccher\u3002example"]
)
def test_an_exchange_to_remove_is_known_in_every_spelling(exchange: str) -> None:
    wish = {"name": "example.com", "state": "absent", "mx": [{"preference": 10, "exchange": exchange}]}
    assert [str(record) for record in parse_wanted_sets([wish])[0].records] == ["10 mx.xn--bcher-kva.example."]


def test_an_exchange_that_is_none_can_be_removed_all_the_same() -> None:
    wish = {"name": "example.com", "state": "absent", "mx": [{"preference": 10, "exchange": "192.0.2.1."}]}
    assert [record.exchange for record in parse_wanted_sets([wish])[0].records] == ["192.0.2.1"]


def table(secret_entries: Any) -> dict[str, Any]:
    """Give the arguments of postfix_map for a table of passwords."""
    given = {"path": "/etc/postfix/sasl_passwd", "secret_entries": secret_entries, "state": "exact", "secret": False}
    unset = dict.fromkeys(("entries", "content", "src", "type", "mode", "owner", "group"))
    return {**unset, **given, "config_directory": "/etc/postfix", "reload": "auto"}


@pytest.mark.parametrize(
    "secret_entries",
    [
        [f"[mx.example.com]:587 user:{ODD_WORD}"],
        {"mx.example.com": [ODD_WORD]},
        {"mx.example.com": {ODD_WORD: 1}},
        [{"key": "a", "value": f"u:{ODD_WORD}"}, {"key": "A", "value": f"v:{ODD_WORD}"}],
    ],
)
def test_a_password_is_in_no_message(secret_entries: Any) -> None:
    with pytest.raises(InvalidInput) as refusal:
        render(parse_table_request(table(secret_entries)).entries or ())
    for shown in (ODD_WORD, repr(ODD_WORD)[1:-1]):
        assert shown not in str(refusal.value)


@pytest.mark.parametrize("name", ["main.cf", "master.cf"])
def test_the_configuration_of_postfix_is_no_lookup_table(name: str) -> None:
    with pytest.raises(InvalidInput, match="no lookup table"):
        parse_table_request({**table({"a": "b"}), "path": f"/etc/postfix/{name}"})


def test_a_key_name_that_is_longer_than_a_name_may_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no domain name"):
        signing_key(KeyOptions(".".join(["k" * 60] * 5), "c2VjcmV0"))


@pytest.mark.parametrize("address", ["user@ example.com", "user@\texample.com"])
def test_white_space_in_an_address_is_not_sent_to_a_server(address: str) -> None:
    with pytest.raises(InvalidInput, match="white space"):
        parse_path(address, "the recipient")


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [
        ("qmgr_message_active_limit", "-5", "20000"),
        ("qmgr_message_active_limit", "100000000000000000000", "20000"),
        ("minimal_backoff_time", "99999999999999999d", "300s"),
    ],
)
def test_a_number_at_which_the_queue_manager_would_die_is_refused(name: str, value: str, default: str) -> None:
    assert fault(name, value, default, ()) is not None
    assert fault(name, default, default, ()) is None


def test_a_key_that_no_index_takes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="longer than 511 octets"):
        render([Entry("k" * 512, "value")])


@pytest.mark.parametrize("file", ["~nobody-of-this-name/update.key", "/etc/update\0.key"])
def test_a_key_file_that_has_no_path_is_refused(file: str) -> None:
    with pytest.raises(InvalidInput, match="key file"):
        signing_key(KeyOptions(file=file))
