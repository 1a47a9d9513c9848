# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the verification address: nobody is refused by the word of a site that cannot tell users from strangers.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from halted_runs import interrupt_everywhere
from killed_runs import answers
from scripted_peer import ScriptedPeer, scripted_peer
from split_network import Network
from split_server import SplitServer, configured_server

NUMBERS = count()
NOT_VERIFIED = "450 4.1.1 <{}>: Recipient address rejected: Address lookup failed"


def said_in(warning: Any) -> str:
    """Return the text of a warning, which newer versions of Ansible wrap."""
    return str(warning["event"]["msg"] if isinstance(warning, dict) else warning)


@dataclass(frozen=True)
class Sites:
    """The server that forwards, and the site that it forwards to."""

    hq: SplitServer
    peer: ScriptedPeer

    def wish(self, **more: Any) -> dict[str, Any]:
        """Give the domain as it is to be on the server."""
        peers = [
            {"site": "cloud", "relay": self.peer.relay, "verification_address": "Verify@Example.com"},
            {"site": "lab", "relay": {"host": self.hq.network.lab}},
        ]
        return {"domain": "example.com", "unknown": "cloud", "peers": peers, **more}

    def split(self, **more: Any) -> tuple[str, list[str], bool]:
        """Run split_domains; return the verdict, the warnings of it and whether anything changed."""
        result = self.hq.split(self.wish(), **more)
        warnings = [said_in(warning) for warning in result.get("warnings", [])]
        return result["domains"][0]["verdict"], warnings, result["changed"]

    def answer(self, client: str = "outside", user: str = "") -> str:
        """Return the answer to a user, or to somebody whom no site knows and no cache."""
        recipient = f"{user or f'stranger{next(NUMBERS)}'}@example.com"
        return str(self.hq.ask(recipient, client)).replace(recipient, "{}")


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq"))
        peer = servers.enter_context(scripted_peer(network))
        hq.start()
        made = Sites(hq, peer)
        hq.routes(
            "example.com",
            routes=[{"address": "ann@example.com", "to": "local"}, {"address": "bob@example.com", "to": peer.relay}],
        )
        yield made


def check_known_users(sites: Sites) -> None:
    """Mail for users that the server knows flows, whatever the other site is up to."""
    for client in ("outside", "hq", "lab"):
        assert sites.answer(client, "ann").startswith("250")
        assert sites.answer(client, "bob+news").startswith("250")


def check_nobody_is_refused(sites: Sites, reason: str) -> None:
    """Whoever is unknown here is put off, except that the server's own users may write to everybody, as ever."""
    earlier = sites.hq.log().count(reason)
    for user in ("", "cyd"):
        for client in ("outside", "lab"):
            assert sites.answer(client, user) == NOT_VERIFIED
        assert sites.answer("hq", user).startswith("250")
    assert sites.hq.logged(reason) == earlier + 4, "what strangers are not told is in the log"
    check_known_users(sites)


def check_call_ahead(sites: Sites, user: str) -> None:
    assert sites.answer().startswith("550 5.1.1")
    assert sites.answer(user=user).startswith("250")
    check_known_users(sites)


BAD_MOODS = [
    ("accepting everything", "accepts_everything", "does not tell", "an address that nobody has (250 2.1.5 Ok)"),
    ("blocking", "refuses", "refuses to be asked", "verify@example.com (554 5.7.1"),
    ("blocking at the greeting", "refuses", "refuses to be asked", "greets with 554 5.7.1"),
    ("refusing the sender", "refuses", "refuses to be asked", "verify@example.com (550 5.7.1"),
]


@pytest.mark.parametrize(("mood", "verdict", "reason", "said"), BAD_MOODS)
def test_a_site_that_cannot_be_believed_is_told_and_refuses_nobody_until_it_is_mended(
    sites: Sites, mood: str, verdict: str, reason: str, said: str
) -> None:
    sites.peer.become("verifying")
    sites.split()
    sites.peer.become(mood)
    reloads = sites.hq.reloads()
    foretold = sites.split(check=True)
    found, warnings, changed = sites.split()
    assert (found, warnings, changed) == foretold
    assert (found, changed) == (verdict, True)
    (warning,) = warnings
    assert said in warning
    assert f"the site cloud of example.com ([{sites.peer.server.address}]:{sites.peer.server.port})" in warning
    assert "get 450 here until a later run finds it mended: " in warning
    check_nobody_is_refused(sites, reason)
    assert sites.split() == (verdict, warnings, False)
    sites.peer.become("verifying", f"new{verdict}")
    assert sites.split() == ("verified", [], True)
    assert sites.split() == ("verified", [], False)
    assert sites.hq.reloads() == reloads
    check_call_ahead(sites, f"new{verdict}")


@pytest.mark.parametrize("mood", ["down", "putting strangers off"])
def test_a_verified_site_that_is_down_stays_verified_and_needs_no_run_when_it_is_back(sites: Sites, mood: str) -> None:
    sites.peer.become("verifying")
    sites.split()
    sites.peer.become(mood)
    verdict, (warning,), changed = sites.split()
    assert (verdict, changed) == ("verified", False)
    assert "cannot be verified now" in warning
    assert "bring it back, no run is needed then" in warning
    assert sites.answer().startswith("450")
    check_known_users(sites)
    user = f"new{next(NUMBERS)}"
    sites.peer.become("verifying", user)
    check_call_ahead(sites, user)


@pytest.mark.parametrize("mood", ["down", "putting off"])
def test_a_site_that_was_never_verified_refuses_nobody(sites: Sites, mood: str) -> None:
    sites.peer.become(mood)
    sites.hq.split(sites.wish(unknown="lab"))
    verdict, (warning,), changed = sites.split()
    assert (verdict, changed) == ("not_asked", True)
    assert "and was not before" in warning
    check_nobody_is_refused(sites, "was not verified yet")
    assert not sites.split()[2]
    sites.peer.become("verifying")
    assert sites.split() == ("verified", [], True)
    check_call_ahead(sites, "cyd")


def test_an_unverified_site_that_goes_down_is_not_believed_for_it(sites: Sites) -> None:
    sites.peer.become("accepting everything")
    sites.split()
    sites.peer.become("down")
    verdict, _warnings, changed = sites.split()
    assert (verdict, changed) == ("accepts_everything", False)
    check_nobody_is_refused(sites, "does not tell")


def test_the_site_that_sent_a_message_for_nobody_gets_its_final_answer_all_the_same(sites: Sites) -> None:
    sites.peer.become("accepting everything")
    sites.split()
    assert sites.answer("cloud").startswith("550 5.1.1")
    assert sites.answer("cloud", "bob").startswith("554 5.4.6")


def test_a_verdict_stays_when_another_module_writes_the_same_table(sites: Sites) -> None:
    sites.peer.become("accepting everything")
    sites.split()
    sites.hq.run("email_routing", domains=[{"domain": "example.org", "mode": "local"}])
    check_nobody_is_refused(sites, "does not tell")
    sites.hq.run("email_routing", domains=[{"domain": "example.org", "state": "absent"}])
    assert not sites.split()[2]


def test_without_a_verification_address_the_site_is_believed_as_before(sites: Sites) -> None:
    sites.peer.become("accepting everything")
    sites.split()
    peers = [{"site": "cloud", "relay": sites.peer.relay}]
    result = sites.hq.split(sites.wish(peers=peers))
    assert (result["domains"][0]["verdict_before"], result["domains"][0]["verdict"]) == ("accepts_everything", None)
    assert sites.answer().startswith("250")
    assert "split_domain_verified" not in sites.hq.main_cf.read_text()


def test_route_info_tells_that_strangers_are_put_off(sites: Sites) -> None:
    sites.peer.become("blocking")
    sites.split()
    (found,) = sites.hq.run("route_info", addresses=["nobody@example.com"])["addresses"]
    assert (found["at_rcpt"]["verdict"], found["at_rcpt"]["code"]) == ("deferred", 450)


def test_a_turn_of_the_verdict_can_be_killed_anywhere(sites: Sites) -> None:
    wanted = {}
    for mood in ("verifying", "blocking"):
        sites.peer.become(mood)
        sites.split()
        wanted[mood] = answers(sites.hq)
    assert wanted["verifying"] != wanted["blocking"]

    def look(moment: str) -> None:
        check_known_users(sites)
        # A verdict that was killed has not turned.
        assert sites.answer().startswith(("450", "550")), moment

    for mood in ("verifying", "blocking"):
        sites.peer.become(mood)
        assert interrupt_everywhere(sites.hq, look, "split_domains", domains=[sites.wish()]) == wanted[mood]


def test_a_verification_address_can_come_and_go_and_be_killed_anywhere(sites: Sites) -> None:
    sites.peer.become("verifying")
    with_address = sites.wish()
    without = {**with_address, "peers": [{**peer, "verification_address": None} for peer in with_address["peers"]]}
    sites.hq.split(with_address)

    def look(moment: str) -> None:
        # A class that a table names and main.cf does not have is a fault of the configuration, told to postmaster.
        rows = (sites.hq.ours / "mail_domains").read_text()
        named = set(re.findall(r"\bsplit_domain_(?:verified|unverified_\w+)", rows))
        classes = sites.hq.command("postconf", "-h", "smtpd_restriction_classes").stdout
        assert named <= set(classes.replace(",", " ").split()), moment
        check_known_users(sites)

    for wish in (without, with_address):
        interrupt_everywhere(sites.hq, look, "split_domains", domains=[wish])


def test_two_sites_that_are_set_up_one_after_the_other_believe_each_other_once_both_are_asked_again(
    network: Network,
) -> None:
    with configured_server(network, "hq") as hq, configured_server(network, "cloud") as cloud:
        wishes = {}
        for server, name, other, other_name in ((cloud, "cloud", hq, "hq"), (hq, "hq", cloud, "cloud")):
            server.start()
            relay = {"host": other.address, "port": other.port}
            peers = [{"site": other_name, "relay": relay, "verification_address": f"{other_name}.user@example.com"}]
            wishes[name] = {"domain": "example.com", "unknown": other_name, "peers": peers}
            server.routes("example.com", routes=[{"address": f"{name}.user@example.com", "to": "local"}])
        assert cloud.split(wishes["cloud"])["domains"][0]["verdict"] in ("refuses", "not_asked")
        assert cloud.ask("hq.user@example.com").code == 450
        assert hq.split(wishes["hq"])["domains"][0]["verdict"] == "verified"
        assert cloud.split(wishes["cloud"])["domains"][0]["verdict"] == "verified"
        assert not cloud.split(wishes["cloud"])["changed"]
        assert not hq.split(wishes["hq"])["changed"]
        assert cloud.ask("hq.user@example.com").code == 250
        assert cloud.ask("nobody@example.com").code == 550


def test_the_server_is_given_back_as_it_was(network: Network, sites: Sites) -> None:
    sites.peer.become("accepting everything")
    with configured_server(network, "hq") as server:
        before = server.files()
        server.split(sites.wish())
        server.split(purge=True)
        assert server.files() == before


def test_nothing_was_refused_for_a_fault_of_the_configuration(sites: Sites) -> None:
    assert sites.hq.command("postfix", "check").stderr == ""
    assert not [
        line for line in sites.hq.log().splitlines() if any(word in line for word in ("error", "fatal", " 451 "))
    ]
