# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the playbook site.yml does to the servers of a split map, module by module, so that it can be killed at any step.

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from killed_runs import answers, every_step, kill_at, steps_of
from split_server import SplitServer

from ansible_collections.mailops.split_domain.plugins.module_utils.server_arguments import (
    password_arguments,
    server_arguments,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.subdomain_order import subdomains_first

Arguments = dict[str, Any]
SplitMap = list[dict[str, Any]]
MASTER, SLAVE = "master", "slave"
PATIENCE = 40


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
            assert "let it be delivered" in result["msg"] and time.monotonic() < deadline, result["msg"]
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


def kill_everywhere(play: Play, maps: Sequence[SplitMap], look: Callable[[str], None], sample: int) -> int:
    """Play the maps one after the other, round and round, each time killed at another step; return how often.

    After each kill ``look`` is told of the moment; then the map is played again, after which nothing may be left of it.
    There are ``sample`` kills on the way to each map, spread over all of its steps, or on demand as many as steps.
    """
    for split_map in maps:
        play.play(split_map)
    wanted, points = [], []
    for split_map in maps:
        points.append(_points(play, split_map, sample))
        wanted.append(play.answers())
    killed = 0
    for turn in range(max(map(len, points))):
        for number, split_map in enumerate(maps):
            moment = f"map {number} is played"
            if turn < len(points[number]):
                moment = f"on the way to map {number}, {_kill(play, split_map, *points[number][turn])}"
                look(moment)
                killed += 1
            play.play(split_map)
            assert play.answers() == wanted[number], moment
            play.settle()
    return killed


def _points(play: Play, split_map: SplitMap, sample: int) -> list[tuple[int, int]]:
    """Play a map, and give steps to be killed at: the number of the call, and that of the step in it."""
    found = []
    for number, call in enumerate(play.calls(split_map)):
        found += [(number, step + 1) for step in range(steps_of(call.server, call.module, **call.arguments))]
    return found if every_step() else found[:: max(1, len(found) // sample)]


def _kill(play: Play, split_map: SplitMap, number: int, step: int) -> str:
    """Play a map until it is killed; return a name of that moment."""
    for count, call in enumerate(play.calls(split_map)):
        if count == number:
            killed = kill_at(call.server, step, call.module, **call.arguments)
            return f"{'at' if killed else 'after all, no more than'} step {step} of {call}, the call {number}"
        call.do()
    raise AssertionError(f"there is no call {number} any more")
