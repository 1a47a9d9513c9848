# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages repeat what was given in part only: they stay short, and nothing in them turns the terminal around.

from __future__ import annotations

from typing import Any, Callable

import pytest

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_address, parse_recipient
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import (
    LONGEST_SENTENCE,
    SplitDomainError,
    sentence,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import (
    canonical_domain,
    canonical_host,
    canonical_owner,
    canonical_zone,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.wanted import parse_wanted_sets
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.key import canonical_key_name, key_of
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.file import zone_file_path
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.text import parse_zone_text
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory import read_listings
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.model.clients import parse_client
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import parse_settings
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.model.routes import parse_destination
from ansible_collections.mailops.split_domain.plugins.module_utils.model.sites import (
    parse_alias_domains,
    parse_catch_all,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.tables.text import Entry, render
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import parse_exchange, parse_preference
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_port, parse_relay
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import parse_path

MOST = 600
LONG = [
    "a" * 120_000,
    "a@" * 60_000,
    "\u202e" * 50_000,
    "\x1b[2J" * 30_000,
    "\0" * 9_000,
    "x y " * 30_000,
    "\ud800" * 9_000,
    "." * 9_000,
]
SITE = {"name": "hq", "role": "master", "hosts": ["mx1.example.com"]}
OTHER = {"name": "cloud", "role": "slave", "relay": {"host": "mx.example.net"}}
PEER = {"site": "cloud", "relay": {"host": "mx.example.net"}}


def split_map(domain: str = "example.com", site: Any = None, **keys: Any) -> Any:
    return parse_split_map([{"domain": domain, "sites": [{**SITE, **(site or {})}, OTHER], **keys}])


PARSERS: dict[str, Callable[[str], Any]] = {
    "address": parse_address,
    "recipient": lambda text: parse_recipient(text, "example.com"),
    "recipient of another domain": lambda text: parse_recipient(f"{text[:60]}@example.org", "example.com"),
    "domain": canonical_domain,
    "host": canonical_host,
    "zone": canonical_zone,
    "owner": lambda text: canonical_owner(text, "example.com"),
    "exchange": parse_exchange,
    "preference": parse_preference,
    "alias domains": lambda text: parse_alias_domains([text], "example.com"),
    "catch-all": lambda text: parse_catch_all(text, "example.com", "the site"),
    "client": lambda text: parse_client(text, "the site"),
    "network": lambda text: parse_client(f"10.0.0.0/{text}", "the site"),
    "destination": lambda text: parse_destination(text, "the route"),
    "key name": canonical_key_name,
    "key algorithm": lambda text: key_of("key", "c2VjcmV0", text, "key_secret"),
    "record set": lambda text: parse_wanted_sets([{"name": text, "mx": []}]),
    "zone file": zone_file_path,
    "zone file's text": lambda text: parse_zone_text(text, "example.com", "zone", str),
    "directive": lambda text: parse_zone_text(f"${text}\n", "example.com", "zone", str),
    "local transport": lambda text: parse_local_transport(text, "the site"),
    "list": lambda text: words("{" + text),
    "table key": lambda text: render([Entry(text, "a"), Entry(text, "b")]),
    "table value": lambda text: render([Entry("a", f"{text}\n")]),
    "port": lambda text: parse_port(text, "the relay"),
    "relay": lambda text: parse_relay(text, "the relay"),
    "relay's keys": lambda text: parse_relay({text: 1}, "the relay"),
    "tls": lambda text: parse_relay({"host": "mx", "tls": text}, "the relay"),
    "path": lambda text: parse_path(text, "the sender"),
    "directory": lambda text: list(read_listings([{"address": text, "site": "hq"}], "example.com")),
    "site of a directory": lambda text: list(
        read_listings([{"address": "a@example.com", "site": text}], "example.com")
    ),
    "columns of a directory": lambda text: list(read_listings([{text: "a"}], "example.com")),
    "map": split_map,
    "map's keys": lambda text: split_map(**{text: 1}),
    "map's text": parse_split_map,
    "site's name": lambda text: split_map(site={"name": text}),
    "site's role": lambda text: split_map(site={"role": text}),
    "site's host": lambda text: split_map(site={"hosts": [text]}),
    "site's unknown": lambda text: split_map(site={"unknown": text}),
    "site's keys": lambda text: split_map(site={text: 1}),
    "state": lambda text: split_map(state=text),
    "settings": lambda text: parse_settings({"domain": text, "peers": [PEER]}),
    "role": lambda text: parse_settings({"domain": "example.com", "role": text, "peers": [PEER]}),
    "unknown": lambda text: parse_settings({"domain": "example.com", "unknown": text, "peers": [PEER]}),
    "peer": lambda text: parse_settings({"domain": "example.com", "peers": [{**PEER, "site": text}]}),
}


@pytest.mark.parametrize("what", PARSERS)
@pytest.mark.parametrize("number", range(len(LONG)))
def test_a_message_is_short_and_printable_whatever_it_repeats(what: str, number: int) -> None:
    try:
        PARSERS[what](LONG[number])
    except SplitDomainError as error:
        told = str(error)
        assert len(told) < MOST and told.isprintable(), told
        told.encode("utf-8")


def test_most_of_these_inputs_are_refused() -> None:
    refused = 0
    for parse in PARSERS.values():
        try:
            parse(LONG[1])
        except SplitDomainError:
            refused += 1
    assert refused > len(PARSERS) - 8


def test_what_to_do_stays_at_the_end_of_a_message_that_is_cut() -> None:
    told = sentence("the thing " + "x" * 100_000 + ": do this")
    assert told.startswith("the thing x") and told.endswith("x: do this") and len(told) < LONGEST_SENTENCE + 40


def test_a_message_of_usual_length_is_left_as_it_is() -> None:
    assert sentence("the domain b\u00fccher.example is split") == "the domain b\u00fccher.example is split"
