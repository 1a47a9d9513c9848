# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what mx_info returns of a domain: another module that reads it comes to the same routing mode.

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.description import (
    describe_exchangers,
    read_exchangers,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    hosts_by_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    decide_routing,
    parse_addresses,
)

OURS = parse_addresses(["192.0.2.1"])
ADDRESSES = st.sampled_from([(), ("192.0.2.1",), ("198.51.100.1", "2001:db8::1")])
PROBLEMS = st.sampled_from([None, None, "the resolver said SERVFAIL"])
NAMES = ["a.example.net", "b.example.net", "_c.example.net", "example.com"]
HOSTS = st.tuples(*(st.builds(Host, st.just(name), ADDRESSES, PROBLEMS, st.booleans()) for name in NAMES))
SETS = st.builds(
    MxSet.of,
    st.lists(st.builds(MxRecord, st.integers(0, 3), st.sampled_from([*NAMES, "."])), max_size=4),
    st.integers(0, 86400),
)
DOMAINS = st.builds(
    MailExchangers, st.just("example.com"), SETS, HOSTS.map(hosts_by_name), PROBLEMS, st.booleans(), st.none()
)


@given(DOMAINS)
def test_the_routing_mode_is_the_same_after_a_way_through_json(domain):
    read = read_exchangers(json.loads(json.dumps(describe_exchangers(domain))))
    assert decide_routing(read, OURS).mode == decide_routing(domain, OURS).mode


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "two..dots"},
        {"mx": None},
        {"mx": [{"preference": 70000, "exchange": "a.example.net"}]},
        {"exchanges": [{"exchange": "a.example.net", "addresses": ["nowhere"]}]},
        {"exchanges": ["a.example.net"]},
        {"published": "something"},
    ],
)
def test_what_mx_info_does_not_return_is_refused_in_one_sentence(changes):
    sound = describe_exchangers(MailExchangers("example.com", hosts={"example.com": Host("example.com")}))
    with pytest.raises(InvalidInput):
        read_exchangers({**sound, **changes})
