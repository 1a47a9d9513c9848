# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Text that Unicode folds into other text is rejected before it is folded, or taken as what it is.

from __future__ import annotations

from typing import Any, Callable

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import (
    canonical_domain,
    canonical_host,
    canonical_owner,
    canonical_zone,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import canonical_key_name
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import parse_site_name
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.parameter_values import fault
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.postfix_map import parse_table_request
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import parse_exchange, parse_preference
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_port
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import parse_tls

PARSERS = [canonical_domain, canonical_host, canonical_owner, canonical_zone, parse_exchange]
FOLDED = [
    "\u212aim.com",  # KELVIN SIGN
    "\u212bngstrom.com",  # ANGSTROM SIGN
    "\u2121.com",  # TEL
    "\u2460.com",  # circled 1
    "\ufb01n.com",  # ligature fi
    "\uff41bc.com",  # full-width a
    "\uff21bc.com",
    "a\uff11.com",
    "ex\u200bample.com",  # zero-width space
    "ex\u00adample.com",  # soft hyphen
    "ex\u2060ample.com",  # word joiner
    "ex\ufe0fample.com",  # variation selector
    "ex\u034fample.com",  # combining grapheme joiner
    "\u017fite.com",  # long s
    "\u0130stanbul.com",  # capital i with dot
    "stra\u1e9ee.com",  # capital sharp s
    "\u00b5.com",  # micro sign
    "\u2126.com",  # ohm sign
    "\u01c6.com",  # dz in one letter
    "\U0001d41bank.com",  # mathematical bold b
    "\uf900.com",  # a CJK compatibility ideograph
    "example\uff0ecom",  # full-width full stop
    "example\uff61com",  # half-width ideographic full stop
    "a\u2024com.example",  # one dot leader
    "\u0301a.com",  # begins with a combining mark
    "ab--\u00fc.com",
    "\U0001f600.com",
    "xn--0.com",
    "xn--.com",
    "xn--a.com",
    "xn--abc-.com",
    "xn--99999999.com",
    "xn--ls8h.example",  # a pictograph
    "xn--g6h.com",
]


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize("name", FOLDED)
def test_a_name_that_would_become_another_is_rejected(parse: Callable[[str], Any], name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse(name)
    assert str(refusal.value).isprintable()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example", "xn--bcher-kva.example"),
        ("bu\u0308cher.example", "xn--bcher-kva.example"),
        ("b\u00fccher\u3002example", "xn--bcher-kva.example"),
        ("\u0131.example", "xn--cfa.example"),
        ("\u4f8b\u3048.example", "xn--r8jz45g.example"),
        ("\u043f\u0440\u0438\u043c\u0435\u0440.example", "xn--e1afmkfd.example"),
        ("\u041f\u0440\u0438\u043c\u0435\u0440.example", "xn--e1afmkfd.example"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
    ],
)
def test_a_name_of_idna2008_is_taken(name: str, expected: str) -> None:
    assert canonical_domain(name) == expected


@pytest.mark.parametrize(
    "text", ["\u212aim@example.com", "\uff41@example.com", "a\u200b@example.com", "\u0131@example.com"]
)
def test_an_address_that_is_not_ascii_becomes_nobody_elses(text: str) -> None:
    with pytest.raises(InvalidInput, match="SMTPUTF8"):
        parse_address(text)


@pytest.mark.parametrize("name", ["\u212aey", "\u017fite", "\uff41"])
def test_names_of_keys_and_sites_are_ascii(name: str) -> None:
    for parse in (canonical_key_name, lambda text: parse_site_name(text, "example.com")):
        with pytest.raises(InvalidInput):
            parse(name)


@pytest.mark.parametrize(
    "digits", ["\u0662\u0665", "\u00b2", "\uff12\uff15", "2_5", "+25", "2\u200b5", "9" * 5_000, 25.0, True]
)
def test_a_number_is_made_of_ascii_digits(digits: Any) -> None:
    with pytest.raises(InvalidInput):
        parse_port(digits, "the relay")
    with pytest.raises(InvalidInput):
        parse_preference(digits)


@pytest.mark.parametrize(
    ("name", "value", "default"),
    [("maximal_queue_lifetime", "\u0661d", "5d"), ("bounce_size_limit", "\u0661\u0662", "50000")],
)
def test_a_value_of_postfix_is_made_of_ascii_digits(name: str, value: str, default: str) -> None:
    assert fault(name, value, default, ()) is not None


@pytest.mark.parametrize("mode", ["\u0660640", "06_40", "+640", "-640", "0x1a0"])
def test_a_mode_is_made_of_ascii_digits(mode: str) -> None:
    unset = dict.fromkeys(("content", "src", "type", "owner", "group", "secret_entries"))
    arguments = {**unset, "path": "/etc/postfix/a", "entries": {"a": "b"}, "state": "exact", "secret": False}
    with pytest.raises(InvalidInput, match="The mode"):
        parse_table_request({**arguments, "mode": mode, "config_directory": "/etc/postfix", "reload": "auto"})


def test_a_fingerprint_is_made_of_ascii_letters() -> None:
    with pytest.raises(InvalidInput, match="fingerprint"):
        parse_tls({"tls": "fingerprint", "tls_fingerprints": ["\ufb00:" + "AA:" * 30 + "AA"]}, "mx", "the relay")


@pytest.mark.parametrize(
    "line",
    ["$\u0131NCLUDE x", "x 1\u017f A 192.0.2.1", "x 300 \u0131N A 192.0.2.1", "$GENERATE \u0661-\u0662 a$ A 192.0.2.1"],
)
def test_words_of_a_zone_file_are_ascii(line: str) -> None:
    soa = "@ 300 IN SOA ns hostmaster 1 3600 600 86400 300\n"
    included: list[str] = []

    def include(name: str) -> str:
        included.append(name)
        return ""

    try:
        text = parse_zone_text(soa + line + "\n", "example.com", "zone", include)
    except SplitDomainError as error:
        assert str(error).isprintable()
    else:
        assert text.records[-1].rdtype not in ("A", "SOA")
    assert not included
