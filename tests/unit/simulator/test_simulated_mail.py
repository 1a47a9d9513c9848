# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the simulation itself: what becomes of single messages in topologies of two and three sites.

from __future__ import annotations

from typing import Any

import pytest
from simulated_sites import (
    NOTHING_IS_DOWN,
    ExternalSite,
    Outage,
    Sites,
    sites_of_plans,
)
from simulation import (
    BOUNCED,
    DELIVERED,
    RETURNED,
    WAITS,
    Fate,
    WayIn,
    simulate,
)

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address, parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.map.server_plan import plan_server
from ansible_collections.mailops.split_domain.plugins.module_utils.map.split_map import parse_split_map
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay

ANN, BOB, CYD, NOBODY = (parse_address(f"{name}@example.com") for name in ("ann", "bob", "cyd", "nobody"))


def site(name: str, unknown: str | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "role": "master", "hosts": [f"{name}.example.net"], "unknown": unknown, **more}


def living_at(name: str, *addresses: Address) -> dict[str, Any]:
    return {"directory": [{"address": str(address), "site": name} for address in addresses]}


def sites_of(entries: list[dict[str, Any]], *external: ExternalSite) -> Sites:
    mapped = parse_split_map(entries)
    hosts = dict.fromkeys(host for entry in mapped for one in entry.split_domain.sites for host in one.hosts)
    return sites_of_plans([plan_server(mapped, host) for host in hosts], external)


def chain(**of_first: Any) -> Sites:
    """Give three sites, of which each asks the next one about the unknown, and one user at the last."""
    sites = [site("a", "b", **of_first), site("b", "c"), site("c", **living_at("c", CYD))]
    return sites_of([{"domain": "example.com", "sites": sites}])


def at(sites: Sites, name: str, peer: str | None = None, own_user: bool = False) -> WayIn:
    return WayIn(
        sites.servers[f"{name}.example.net"], None if peer is None else sites.servers[f"{peer}.example.net"], own_user
    )


def shown_hops(fate: Fate) -> list[str]:
    (end,) = fate.ends
    return [hop.receiver.partition(".")[0] for hop in end.hops]


def test_a_user_that_only_the_last_of_three_sites_knows_is_found_by_questions_and_reached_over_all_hops() -> None:
    sites = chain()
    fate = simulate(sites, CYD, at(sites, "a"))
    assert (fate.reply.code, len(fate.reply.questions)) == (250, 2)
    assert [end.what for end in fate.ends] == [DELIVERED]
    assert shown_hops(fate) == ["a", "b", "c"]
    assert simulate(sites, NOBODY, at(sites, "a")).reply.code == 550


def test_a_server_that_is_down_behind_the_next_one_is_told_by_name() -> None:
    sites = chain()
    reply = simulate(sites, CYD, at(sites, "a"), Outage(down=frozenset({"c"}))).reply
    assert (reply.code, reply.unasked) == (450, ("c.example.net",))
    cut = Outage(cut=frozenset({("a", "b")}))
    assert simulate(sites, CYD, at(sites, "a"), cut).reply.unasked == ("b.example.net",)
    assert simulate(sites, CYD, at(sites, "b"), cut).reply.code == 250


def test_mail_of_an_own_user_is_taken_unasked_and_waits_or_comes_back_to_the_user() -> None:
    sites = chain()
    assert simulate(sites, NOBODY, at(sites, "a", own_user=True)).ends[0].what == RETURNED
    (end,) = simulate(sites, CYD, at(sites, "a", own_user=True), Outage(down=frozenset({"c"}))).ends
    assert (end.what, end.place, end.unreached) == (WAITS, "a.example.net", ("c.example.net",))


def test_without_call_ahead_a_stranger_gets_a_bounce_from_the_server_that_did_not_ask() -> None:
    sites = chain(call_ahead=False)
    fate = simulate(sites, NOBODY, at(sites, "a"))
    assert fate.reply.code == 250
    assert [(end.what, end.place) for end in fate.ends] == [(BOUNCED, "a.example.net")]


def test_a_site_gets_nothing_back_that_it_sent() -> None:
    entries = [{"domain": "example.com", **living_at("b", BOB), "sites": [site("a", "b"), site("b", "a")]}]
    sites = sites_of(entries)
    assert simulate(sites, BOB, at(sites, "a", peer="b")).reply.code == 554
    assert simulate(sites, NOBODY, at(sites, "a", peer="b")).reply.code == 550
    assert simulate(sites, BOB, at(sites, "a")).reply.code == 250


@pytest.mark.parametrize(("verified", "code", "ends"), [(False, 250, [BOUNCED]), (True, 450, [])])
def test_a_site_that_takes_everything_bounces_unless_it_has_to_prove_itself(
    verified: bool, code: int, ends: list[str]
) -> None:
    relay = {"relay": "in.hosted.example", "verification_address": str(BOB) if verified else None}
    sites = sites_of(
        [{"domain": "example.com", "sites": [site("a", "hosted"), {"name": "hosted", **relay}]}],
        ExternalSite("example.com", "hosted", Relay("in.hosted.example"), frozenset({BOB}), takes_everything=True),
    )
    fate = simulate(sites, NOBODY, at(sites, "a"))
    assert (fate.reply.code, [end.what for end in fate.ends]) == (code, ends)


def test_a_catch_all_gets_what_nobody_knows_and_nothing_else() -> None:
    entry = {
        "domain": "example.com",
        "directory": [{"address": str(ANN), "site": "a"}, {"address": str(BOB), "site": "b"}],
        "sites": [site("a", catch_all=str(ANN)), site("b", "a")],
    }
    sites = sites_of([entry])
    arrived = {
        (one, name): [(end.place[0], end.recipient) for end in simulate(sites, one, at(sites, name)).ends]
        for one in (BOB, NOBODY)
        for name in ("a", "b")
    }
    assert arrived == {
        (BOB, "a"): [("b", BOB)],
        (BOB, "b"): [("b", BOB)],
        (NOBODY, "a"): [("a", ANN)],
        (NOBODY, "b"): [("a", ANN)],
    }


def test_the_next_server_of_a_site_is_asked_while_the_first_is_down() -> None:
    two = {"name": "b", "hosts": ["b.example.net", "b2.example.net"], **living_at("b", BOB)}
    sites = sites_of([{"domain": "example.com", "sites": [site("a", "b"), two]}])
    for down, place in (("b.example.net", "b2.example.net"), ("b2.example.net", "b.example.net")):
        outage = Outage(down=frozenset({down}))
        assert [end.place for end in simulate(sites, BOB, at(sites, "a"), outage).ends] == [place]
    assert simulate(sites, BOB, at(sites, "a"), Outage(down=frozenset({"b"}))).reply.code == 450


def test_a_client_stands_for_all_sites_that_it_belongs_to_in_any_domain() -> None:
    entries = [
        {"domain": "example.com", "sites": [site("a", "b"), site("b", "c"), site("c", **living_at("c", CYD))]},
        {"domain": "example.org", "sites": [{**site("ac"), "hosts": ["a.example.net", "c.example.net"]}, site("b")]},
    ]
    alone, together = sites_of(entries[:1]), sites_of(entries)
    assert simulate(alone, CYD, at(alone, "a")).reply.code == 250
    assert simulate(together, CYD, at(together, "b")).reply.code == 250
    assert simulate(together, CYD, at(together, "a")).reply.code == 550


def test_an_address_of_a_domain_that_the_server_has_nothing_to_do_with_is_no_question() -> None:
    sites = chain()
    with pytest.raises(InvalidInput, match=r"x@example.org is in no split domain of a.example.net"):
        simulate(sites, parse_address("x@example.org"), at(sites, "a"), NOTHING_IS_DOWN)
