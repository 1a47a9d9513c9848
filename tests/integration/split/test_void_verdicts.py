# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of cached verdicts of call-ahead: users move, come and go, and nobody is answered by what was true before.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from killed_runs import answers, kill_at, steps
from scripted_peer import ScriptedPeer, scripted_peer
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

MAPS = {
    "as Postfix has it": "btree:{data}/verify_cache",
    "in memory only": "",
    "lmdb": "lmdb:{data}/verdicts",
    "through proxymap": "proxy:btree:{data}/shared_verdicts",
}


@dataclass(frozen=True)
class Sites:
    """A server that forwards unknown recipients, and two sites to which it may."""

    hq: SplitServer
    cloud: ScriptedPeer
    lab: ScriptedPeer

    def forward_to(self, site: str, check: bool = False, **more: Any) -> dict[str, Any]:
        return self.hq.split(self.wish(site, **more), check=check)

    def wish(self, site: str, **more: Any) -> dict[str, Any]:
        peers = [{"site": "cloud", "relay": self.cloud.relay, **more}, {"site": "lab", "relay": self.lab.relay}]
        return {"domain": "example.com", "unknown": site, "peers": peers}

    def keep_in(self, table: str) -> None:
        """Keep verdicts in a table of that name, empty at first."""
        self.hq.stop()
        data = self.hq.directory / "data"
        for path in data.glob("*verdict*"):
            path.unlink()
        for path in data.glob("verify_cache*"):
            path.unlink()
        wanted = table.format(data=data)
        self.hq.command("postconf", f"address_verify_map={wanted}")
        assert self.hq.command("postconf", "-h", "address_verify_map").stdout.strip() == wanted
        self.hq.start()

    def list(self, *users: str) -> None:
        """Be the home of these users."""
        self.hq.routes("example.com", routes=[{"address": f"{user}@example.com", "to": "local"} for user in users])

    def forget(self, *users: str, **more: Any) -> dict[str, Any]:
        """Take the routes of users away."""
        routes = [{"address": f"{user}@example.com"} for user in users]
        return self.hq.routes("example.com", state="absent", routes=routes, **more)

    def answer(self, user: str) -> int:
        return self.hq.ask(f"{user}@example.com").code

    @property
    def verifying_process(self) -> str:
        """The process that keeps the verdicts."""
        listed = self.hq.network.at("hq", _children, self.hq.master_process())
        return listed.get("verify", "none")


def _children(parent: int) -> dict[str, str]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            command, rest = path.read_text().rsplit(")", 1)
        except OSError:
            continue
        if rest.split()[1] == str(parent):
            found[command.split("(", 1)[1]] = path.parent.name
    return found


@pytest.fixture(scope="module")
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq", GROWN_MAIN_CF + "\n"))
        cloud = servers.enter_context(scripted_peer(network))
        lab = servers.enter_context(scripted_peer(network, "lab"))
        hq.start()
        made = Sites(hq, cloud, lab)
        made.list("ann")
        made.forward_to("cloud")
        yield made


@pytest.mark.parametrize("table", MAPS.values(), ids=MAPS.keys())
def test_users_who_move_come_and_go_are_answered_for_by_what_is_true_now(sites: Sites, table: str) -> None:
    sites.keep_in(table)
    sites.cloud.become("verifying", "goes")
    assert sites.answer("goes") == 250
    assert sites.answer("comes") == 550
    # Both move here and are known at once, whatever was said of them.
    sites.list("goes", "comes")
    assert (sites.answer("goes"), sites.answer("comes")) == (250, 250)
    # One is deleted, the other moves away to a site of which this server has no list.
    sites.cloud.become("verifying", "comes")
    sites.forget("goes", "comes")
    assert (sites.answer("goes"), sites.answer("comes")) == (550, 250)


@pytest.mark.parametrize("table", MAPS.values(), ids=MAPS.keys())
def test_another_site_is_asked_for_everybody_anew(sites: Sites, table: str) -> None:
    sites.keep_in(table)
    sites.cloud.become("verifying", "there")
    sites.lab.become("verifying", "here")
    assert (sites.answer("there"), sites.answer("here")) == (250, 550)
    sites.forward_to("lab")
    try:
        assert (sites.answer("there"), sites.answer("here")) == (550, 250)
    finally:
        sites.forward_to("cloud")


def test_an_extension_goes_with_its_user(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    sites.cloud.become("verifying", "extended")
    assert sites.answer("Extended+news") == 250
    sites.list("extended")
    sites.cloud.become("verifying")
    sites.forget("extended")
    assert sites.answer("Extended+news") == 550


def test_what_a_site_took_while_it_took_everything_is_asked_for_again_when_it_is_mended(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    sites.cloud.become("accepting everything")
    assert sites.answer("never.there") == 250
    sites.forward_to("cloud", verification_address="verify@example.com")
    assert sites.answer("never.there") == 450
    sites.cloud.become("verifying")
    sites.forward_to("cloud", verification_address="verify@example.com")
    assert sites.answer("never.there") == 550
    sites.forward_to("cloud")


def test_a_change_that_no_verdict_speaks_of_costs_nothing(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    sites.cloud.become("verifying")
    sites.list("quiet", "quieter")
    assert sites.answer("cyd") == 250
    process, reloads = sites.verifying_process, sites.hq.reloads()
    sites.forget("quiet")
    sites.hq.routes("example.com", routes=[{"address": "quieter@example.com", "to": sites.cloud.relay}])
    sites.forget("quieter", "cyd", "nobody")
    assert (sites.verifying_process, sites.hq.reloads()) == (process, reloads)
    # It is still known, although nobody could be asked.
    sites.cloud.become("down")
    assert sites.answer("cyd") == 250


def test_verdicts_are_forgotten_without_a_reload(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    sites.cloud.become("verifying")
    assert sites.answer("verify") == 250
    sites.list("verify")
    process, reloads = sites.verifying_process, sites.hq.reloads()
    sites.forget("verify")
    assert sites.answer("verify") == 250
    assert sites.verifying_process != process
    assert sites.hq.reloads() == reloads


def test_check_mode_forgets_nothing(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    sites.cloud.become("verifying")
    assert sites.answer("cyd") == 250
    sites.list("cyd")
    process, cache = sites.verifying_process, (sites.hq.directory / "data" / "verify_cache.db").stat().st_ino
    foretold = sites.forget("cyd", check=True)
    assert sites.forward_to("lab", check=True)["changed"]
    assert (sites.verifying_process, (sites.hq.directory / "data" / "verify_cache.db").stat().st_ino) == (
        process,
        cache,
    )
    assert sites.forget("cyd") == foretold
    assert not sites.forget("cyd")["changed"]


def test_a_run_that_was_killed_leaves_no_void_verdict_behind_the_next(sites: Sites) -> None:
    sites.keep_in(MAPS["as Postfix has it"])
    wanted = answers(sites.hq)
    killed = 0
    for step in steps(6):
        user = f"killed{step}"
        sites.cloud.become("verifying", user)
        assert sites.answer(user) == 250
        sites.list(user)
        sites.cloud.become("verifying")
        routes = [{"address": f"{user}@example.com"}]
        done = not kill_at(sites.hq, step, "recipient_routes", domain="example.com", state="absent", routes=routes)
        killed += not done
        sites.forget(user)
        assert sites.answer(user) == 550, f"step {step}"
        assert answers(sites.hq) == wanted, f"step {step}"
        if done:
            break
    assert killed >= 3


def test_the_next_run_of_the_other_module_forgets_as_well(sites: Sites) -> None:
    (sites.hq.ours / "verdicts.void").touch()
    process = sites.verifying_process
    assert sites.forward_to("cloud")["changed"]
    assert sites.verifying_process != process
    assert not sites.forward_to("cloud")["changed"]


def test_verdicts_that_are_out_of_reach_are_told(network: Network) -> None:
    main_cf = GROWN_MAIN_CF + "\naddress_verify_map = memcache:/etc/postfix/verdicts.cf\n"
    with configured_server(network, "hq", main_cf) as server:
        peers = [{"site": "cloud", "relay": {"host": network.cloud}}]
        result = server.split({"domain": "example.com", "unknown": "cloud", "peers": peers})
        assert "address_verify_map), which cannot be emptied from here" in str(result["warnings"])
        result = server.split({"domain": "example.com", "unknown": "cloud", "peers": peers})
        assert not result["changed"]
        assert "address_verify_map" not in str(result.get("warnings"))


def test_nothing_was_refused_for_a_fault_of_the_configuration(sites: Sites) -> None:
    assert not [
        line for line in sites.hq.log().splitlines() if any(word in line for word in ("error", "fatal", "panic"))
    ]
