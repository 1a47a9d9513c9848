# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the playbook site.yml does to the servers of a split map, module by module, so that it can halt at any step.

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from halted_runs import Halting, RunFailed, halting
from killed_runs import LONG_FORM, answers
from split_server import SplitServer

from ansible_collections.mailops.split_domain.plugins.module_utils.map.module_arguments import (
    password_arguments,
    server_arguments,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.map.subdomains import subdomains_first

Arguments = dict[str, Any]
SplitMap = list[dict[str, Any]]
MASTER, SLAVE = "master", "slave"
PATIENCE = 40
# Of the moments of a run: one of how many is looked at, and one of how many is repaired.
STRIDES = (20, 80)
STRIDES_OF_THE_LONG_FORM = (2, 8)


@dataclass(frozen=True)
class Call:
    """One module that runs on one server."""

    server: SplitServer
    module: str
    arguments: Arguments

    def do(self) -> None:
        """Run it; mail that it says has to go first is sent on its way, as an administrator would."""
        deadline = time.monotonic() + PATIENCE
        while True:
            result = self.server.run(self.module, **self.arguments)
            if not result.get("failed"):
                return
            self.send_mail_on(result["msg"], deadline)

    def send_mail_on(self, message: str, deadline: float) -> None:
        """Send mail on its way, of which a run said that it has to go first."""
        assert "let it be delivered" in message and time.monotonic() < deadline, message
        self.server.command("postqueue", "-f")
        time.sleep(0.5)

    def __str__(self) -> str:
        return f"{self.module} on {self.server.host}"


@dataclass(frozen=True)
class Play:
    """Servers by their names in the inventory, on which maps are played."""

    servers: Mapping[str, SplitServer]

    def calls(self, split_map: SplitMap) -> Iterator[Call]:
        """Give what the playbook does, in its order; each call is to be done before the next is asked for."""
        plans = {host: server_arguments(split_map, host) for host in self.servers}
        fits = {host: self._fit(split_map, host, plan) for host, plan in plans.items()}
        new = {host: {one["domain"] for one in fit["domains"] if not one["before"]} for host, fit in fits.items()}
        for host, plan in plans.items():
            yield from self._routes(host, plan, lambda one, host=host: one not in new[host], only_local=True)
        for host, fit in fits.items():
            yield from self._settings(split_map, host, subdomains_first(fit["domains"]))
        for role in (SLAVE, MASTER):
            for host in self.servers:
                plan = server_arguments(split_map, host, role, (), False)
                yield from self._routes(host, plan, lambda one, host=host: one in new[host])
                yield from self._settings(
                    split_map, host, [one for one in plan["domains"] if one["domain"] in new[host]]
                )
        for host, plan in plans.items():
            yield from self._routes(host, plan, lambda _one: True)
        for role in (MASTER, SLAVE):
            for host in self.servers:
                plan = server_arguments(split_map, host, role)
                yield from self._settings(split_map, host, plan["domains"] if fits[host]["server_changed"] else [])

    def play(self, split_map: SplitMap) -> None:
        """Do all of it."""
        for call in self.calls(split_map):
            call.do()

    def answers(self) -> dict[str, dict[str, str]]:
        """Return what all servers say."""
        return {host: answers(server) for host, server in self.servers.items()}

    def settle(self) -> None:
        """Wait until no mail is under way any more, whichever server it waits on."""
        deadline = time.monotonic() + PATIENCE
        while any(server.command("postqueue", "-j").stdout for server in self.servers.values()):
            bounces = [line for one in self.servers.values() for line in one.log().splitlines() if "=bounced" in line]
            queues = [server.command("postqueue", "-p").stdout for server in self.servers.values()]
            assert time.monotonic() < deadline, "\n".join([*bounces, *queues])
            for server in self.servers.values():
                server.command("postqueue", "-f")
            time.sleep(0.2)

    def _fit(self, split_map: SplitMap, host: str, plan: Arguments) -> Arguments:
        passwords = password_arguments(split_map, host)
        return self.servers[host].split(*plan["domains"], check=True, passwords=passwords)

    def _routes(
        self, host: str, plan: Arguments, wanted: Callable[[str], bool], only_local: bool = False
    ) -> Iterator[Call]:
        for entry in plan["routes"]:
            if wanted(entry["domain"]):
                arguments = {name: value for name, value in entry.items() if name != "rewrites"}
                arguments["local_transport"] = entry["local_transport"] or ""
                if only_local:
                    arguments.update(state="present", only_local=True)
                yield Call(self.servers[host], "recipient_routes", arguments)

    def _settings(self, split_map: SplitMap, host: str, domains: Sequence[Arguments]) -> Iterator[Call]:
        if domains:
            arguments = {"domains": list(domains), "passwords": password_arguments(split_map, host)}
            yield Call(self.servers[host], "split_domains", arguments)


def halt_everywhere(
    play: Play, maps: Sequence[SplitMap], look: Callable[[str], None], strides: tuple[int, int] = STRIDES
) -> int:
    """Play the maps one after the other in runs that halt, and look at what kills would leave; return how often.

    ``look`` is told of the moment. Later what some of the kills would leave is brought back to the servers and the map
    is played again, after which nothing may be left of the kill. Of the moments one of ``strides`` is looked at, and
    one of its second number repaired; in the long form of the tests more of them.
    """
    often, seldom = STRIDES_OF_THE_LONG_FORM if os.environ.get(LONG_FORM) else strides
    for split_map in maps:
        play.play(split_map)
    looks, wanted, left = 0, [], []
    with ExitStack() as stack:
        runs = {host: stack.enter_context(halting(server)) for host, server in play.servers.items()}
        for turn, (number, moment) in enumerate(_moments(play, maps, runs, wanted)):
            if turn % often == 0:
                look(moment)
                looks += 1
            if turn % seldom == 0:
                left.append((number, moment, {host: halted.kept() for host, halted in runs.items()}))
        for number, moment, copies in left:
            for host, server in play.servers.items():
                server.stop()
                runs[host].bring_back(copies[host])
                server.start()
            play.play(maps[number])
            assert play.answers() == wanted[number], moment
            play.settle()
    return looks


def _moments(
    play: Play, maps: Sequence[SplitMap], runs: Mapping[str, Halting], wanted: list[dict[str, dict[str, str]]]
) -> Iterator[tuple[int, str]]:
    """Play the maps, and give the number of the map and the words of each moment; add what is said after each map."""
    for number, split_map in enumerate(maps):
        for call in play.calls(split_map):
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    for moment in runs[call.server.host].moments(call.module, **call.arguments):
                        yield number, f"on the way to map {number}, {call}, {moment}"
                    break
                except RunFailed as error:
                    call.send_mail_on(str(error), deadline)
        wanted.append(play.answers())
        play.settle()
