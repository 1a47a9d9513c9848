# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of looking up MX sets and the addresses of exchanges through real resolvers, some of which cannot answer.

from __future__ import annotations

from collections.abc import Iterator

import pytest
from defective_server import silent, silent_on_mx
from internet import Internet, started_internet
from zones import DEFECTIVE, FIRST, MAIL, NOBODY, ROOT, Zone

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ResolverUseless
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import FanOut, NoReply, Query
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.own_resolvers import (
    resolvers_of_this_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.resolving import (
    Resolver,
    look_up_exchangers,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord

MANY = 100
# More than are under way at once.
SILENT_NAMES = 150
ZONES = [
    Zone(
        "plain.xa",
        "@ MX 10 mail\n@ MX 20 gone\n@ MX 30 bare\nmail AAAA 2001:db8::25\nbare TXT text\n"
        "alias CNAME here\nhere MX 5 by-alias\nby-alias CNAME mail\nimplicit A 198.51.100.7\nlost CNAME gone\n"
        "outside CNAME mail.silent.xa.\n",
    ),
    Zone("large.xa", "".join(f"@ MX {number} exchange-number-{number:03}\n" for number in range(MANY))),
    Zone("silent.xa", "@ MX 10 mail\n", servers=("ns3",)),
    Zone("dead.xa", servers=("ns4",)),
    Zone("mute.xa", "".join(f"n{number} MX 10 mail\n" for number in range(SILENT_NAMES)), servers=("ns3",)),
    Zone("many.xa", "".join(f"n{number} MX 10 mail\n" for number in range(1000))),
]


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    with started_internet(ZONES, {"silent.xa": silent_on_mx, "mute.xa": silent}) as running:
        yield running


def looked_up(internet: Internet, *domains: str, before: tuple[str, ...] = ()) -> dict[str, MailExchangers]:
    """Look up domains; the resolvers ``before`` are asked first, at the port of the right one."""
    resolver = Resolver([*before, internet.resolver.address], internet.resolver.port, 2)
    return look_up_exchangers(resolver, domains)


def test_the_set_its_time_to_live_and_all_addresses_of_its_exchanges_are_found(internet):
    found = looked_up(internet, "plain.xa")["plain.xa"]
    assert found.problem is None and found.exists
    assert [str(record) for record in found.mx.records] == [
        "10 mail.plain.xa.",
        "20 gone.plain.xa.",
        "30 bare.plain.xa.",
    ]
    assert found.ttl_left is not None and 0 < found.ttl_left <= 300
    assert found.hosts["mail.plain.xa"].addresses == (MAIL, "2001:db8::25")


def test_an_exchange_that_does_not_exist_is_told_from_one_without_address(internet):
    hosts = looked_up(internet, "plain.xa")["plain.xa"].hosts
    gone, bare = hosts["gone.plain.xa"], hosts["bare.plain.xa"]
    assert (gone.exists, gone.addresses, gone.problem) == (False, (), None)
    assert (bare.exists, bare.addresses, bare.problem) == (True, (), None)


def test_aliases_of_a_domain_and_of_an_exchange_are_followed_and_told(internet):
    found = looked_up(internet, "alias.plain.xa")["alias.plain.xa"]
    assert found.mx.records == (MxRecord(5, "by-alias.plain.xa"),)
    host = found.hosts["by-alias.plain.xa"]
    assert (host.alias_of, host.addresses) == ("mail.plain.xa", (MAIL, "2001:db8::25"))


def test_a_domain_without_mx_records_is_its_own_exchange_when_it_has_an_address(internet):
    found = looked_up(internet, "implicit.plain.xa")["implicit.plain.xa"]
    assert found.is_implicit and found.effective_records() == (MxRecord(0, "implicit.plain.xa"),)
    assert found.ttl_left is not None


@pytest.mark.parametrize("domain", ["nobody.plain.xa", "lost.plain.xa", "nothing.at.all"])
def test_a_domain_that_does_not_exist_is_known_not_to(internet, domain):
    found = looked_up(internet, domain)[domain]
    assert (found.exists, found.problem, found.mx.records) == (False, None, ())


@pytest.mark.parametrize("domain", ["dead.xa", "silent.xa"])
def test_a_domain_whose_servers_are_silent_is_not_known_and_never_taken_for_absent(internet, domain):
    found = looked_up(internet, domain)[domain]
    assert found.problem in ("the resolver said SERVFAIL", "it did not answer within 2 s")
    assert found.exists and not found.is_implicit


def test_one_name_that_cannot_be_resolved_takes_nothing_from_the_others(internet):
    found = looked_up(internet, "dead.xa", "plain.xa", "large.xa")
    assert found["dead.xa"].problem is not None
    assert found["plain.xa"].problem is None and found["large.xa"].problem is None


def test_a_set_too_large_for_a_datagram_is_read_whole(internet):
    assert len(looked_up(internet, "large.xa")["large.xa"].mx.records) == MANY


def test_a_thousand_names_are_looked_up_at_once(internet):
    names = [f"n{number}.many.xa" for number in range(1000)]
    found = looked_up(internet, *names)
    assert all(found[name].hosts["mail.many.xa"].addresses == (MAIL,) for name in names)


def test_many_names_without_any_answer_do_not_stand_in_the_way_of_the_others(internet):
    mute = [f"n{number}.mute.xa" for number in range(SILENT_NAMES)]
    found = looked_up(internet, *mute, "plain.xa")
    assert found["plain.xa"].problem is None
    assert all(found[name].problem is not None and found[name].exists for name in mute)


@pytest.mark.usefixtures("internet")
def test_many_questions_that_a_server_leaves_out_do_not_stand_in_the_way_of_the_others():
    left_out = [Query(DEFECTIVE, f"n{number}.silent.xa", "MX") for number in range(SILENT_NAMES)]
    answered = [Query(DEFECTIVE, name, "SOA") for name in ("silent.xa", "plain.xa")]
    found = FanOut(53, 2).ask([answered[0], *left_out, answered[1]])
    assert [isinstance(found[query], NoReply) for query in answered] == [False, False]
    assert all(isinstance(found[query], NoReply) for query in left_out)


def test_the_next_resolver_is_asked_when_one_is_silent(internet):
    assert looked_up(internet, "plain.xa", before=(NOBODY,))["plain.xa"].problem is None


def test_when_no_resolver_answers_nothing_is_said_of_any_name():
    with pytest.raises(ResolverUseless, match=rf"{NOBODY}.*does not listen there.*check that a resolver runs"):
        look_up_exchangers(Resolver([NOBODY], 53, 0.5), ["plain.xa"])


@pytest.mark.usefixtures("internet")
@pytest.mark.parametrize(
    ("server", "reason"),
    [(ROOT, "refers to other servers"), (FIRST, "said REFUSED")],
    ids=["refers elsewhere", "refuses"],
)
def test_a_server_that_does_no_recursion_is_no_resolver(server, reason):
    with pytest.raises(ResolverUseless, match=reason):
        look_up_exchangers(Resolver([server], 53, 2), ["plain.xa" if server == ROOT else "elsewhere.example"])


@pytest.mark.usefixtures("internet")
def test_an_alias_that_a_server_without_recursion_leaves_open_is_not_taken_for_a_host_without_address():
    found = Resolver([FIRST], 53, 2).look_up_hosts(["outside.plain.xa", "mail.plain.xa"])
    assert found["mail.plain.xa"].problem is None
    assert found["outside.plain.xa"].problem is None or "refers" in found["outside.plain.xa"].problem


def test_resolvers_are_those_of_resolv_conf(tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text(
        "# nameserver 192.0.2.9\nsearch example.com\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1 \nnameserver\n"
        "options edns0\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n"
    )
    assert resolvers_of_this_host(str(conf)) == ("192.0.2.1", "2001:db8::1", "192.0.2.3")


@pytest.mark.parametrize("text", ["", "search example.com\n", None])
def test_without_resolvers_in_resolv_conf_the_host_itself_is_asked(tmp_path, text):
    conf = tmp_path / "resolv.conf"
    if text is not None:
        conf.write_text(text)
    assert resolvers_of_this_host(str(conf)) == ("127.0.0.1",)
