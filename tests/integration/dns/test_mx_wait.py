# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of wait: mx_records returns only when every authoritative server gives the new set, and tells what each said.

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from named_server import ADDRESS, SECRETS, WRITABLE, WRITER, Named, Zone, free_port, started_named
from update_relay import relay_to

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.change.change import Change
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import transport
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.connection import DnsConnection
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ServersDisagree
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.agreement import (
    ServerView,
    Waiting,
    wait_for_agreement,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.key_source import KeyOptions, signing_key
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, MxSet

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
AFTER = MxSet.of([MxRecord(10, "mx1.example.com")], 3600)
PRIMARY, SECONDARY, OTHER, HIDDEN = "127.0.0.71", "127.0.0.72", "127.0.0.74", "127.0.0.75"
UNREACHED = "2001:db8::1"
NAMES = ["ns1.example.com", "ns2.example.com", "ns3.example.com"]
# Two secondaries, and two names for another address that no NS set has.
LINES = f"""@ NS ns2
@ NS ns3
ns2 A {SECONDARY}
ns3 A {OTHER}
ns4 A {HIDDEN}
ns5 A {HIDDEN}
ns5 AAAA {UNREACHED}
"""


@dataclass
class Servers:
    """A primary of example.com and two secondaries that transfer, and the port at which each has an address."""

    port: int
    primary: Named
    secondary: Named
    other: Named


@contextmanager
def three_servers(port: int, notify: bool = True, cut_off: tuple[str, ...] = ()) -> Iterator[Servers]:
    """A primary and two secondaries; without notify the second one learns nothing after its start.

    named listens on addresses of interfaces only, so a relay gives each of them one of its own; where one is cut off,
    nobody listens.
    """
    with ExitStack() as stack:
        ports = [free_port(), free_port()]
        told = [f"{ADDRESS} port {ports[0]};", f"{ADDRESS} port {ports[1]};" if notify else ""]
        statement = f"notify explicit; notify-delay 0; also-notify {{ {' '.join(told)} }};"
        primary = stack.enter_context(started_named({"example.com": Zone(LINES, WRITABLE, statement)}, PRIMARY))
        follows = (
            'zone "example.com" { type secondary; file "secondary.zone"; '
            f"primaries port {primary.port} {{ {ADDRESS}; }}; }};\n"
        )
        secondaries = [stack.enter_context(started_named({}, extra=follows, port=each)) for each in ports]
        servers = Servers(port, primary, *secondaries)
        for address, server in ((PRIMARY, primary), (SECONDARY, secondaries[0]), (OTHER, secondaries[1])):
            wait_until(lambda server=server: server.query("example.com", "SOA").answer, server)
            if address not in cut_off:
                stack.enter_context(relay_to(server, address=address, port=port))
        yield servers


def wait_until(shown: Callable[[], Any], server: Named) -> None:
    deadline = time.monotonic() + 20
    while not shown():
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cut() -> Iterator[Servers]:
    """Three servers that write and follow; nobody gets through to the second secondary."""
    with three_servers(free_port(), cut_off=(OTHER,)) as servers:
        yield servers


def write(servers: Servers, *records: dict[str, Any]) -> None:
    publish_mx_records(servers.primary.params({"name": "example.com", "mx": list(records)}), False)


def wait(servers: Servers, after: MxSet, timeout: float, *hidden: str, ask_timeout: float = 5.0) -> list[ServerView]:
    key = signing_key(KeyOptions(WRITER, SECRETS[WRITER]))
    change = Change("example.com", "example.com", MxSet(), after)
    with DnsConnection(servers.primary.address, servers.primary.port, timeout=5, key=key) as connection:
        return wait_for_agreement(connection, [change], Waiting(hidden, timeout, ask_timeout, servers.port))


def said_of(error: ServersDisagree) -> dict[str, tuple[Any, str]]:
    assert all(view["zones"] == ["example.com"] for view in error.details()["servers"])
    return {view["address"]: (view["agrees"], view["said"]) for view in error.details()["servers"]}


def test_waiting_ends_when_all_secondaries_have_followed_and_tells_what_each_said():
    with three_servers(53) as servers:
        params = servers.primary.params({"name": "example.com", "mx": [MX1]}, wait=True, wait_timeout=30.0)
        outcome = publish_mx_records(params, False)
        assert outcome.changed
        for one in (servers.secondary, servers.other):
            assert one.mx("example.com") == [(10, "mx1.example.com.", 3600)]
        assert {view["server"]: (view["address"], view["agrees"]) for view in outcome.values["servers"]} == {
            "ns1.example.com": (PRIMARY, True),
            "ns2.example.com": (SECONDARY, True),
            "ns3.example.com": (OTHER, True),
        }
        assert publish_mx_records(params, True).values["servers"] == []


def test_a_secondary_that_hears_of_nothing_is_named_with_what_it_says():
    with three_servers(free_port(), notify=False) as servers:
        write(servers, MX1)
        wait_until(lambda: servers.secondary.mx("example.com"), servers.secondary)
        with pytest.raises(ServersDisagree, match=rf"ns3\.example\.com \({OTHER}\) gives .*no MX record") as caught:
            wait(servers, AFTER, 1.0)
        said = said_of(caught.value)
        assert {address: agrees for address, (agrees, _said) in said.items()} == {
            PRIMARY: True,
            SECONDARY: True,
            OTHER: False,
        }
        assert SECONDARY not in str(caught.value) and "NOTIFY" in str(caught.value)


def test_a_secondary_that_is_cut_off_is_named_and_the_others_are_told_to_agree(cut):
    write(cut, MX1)
    wait_until(lambda: cut.secondary.mx("example.com"), cut.secondary)
    with pytest.raises(ServersDisagree, match=rf"ns3\.example\.com \({OTHER}\) cannot be asked.*refused") as caught:
        wait(cut, AFTER, 1.0)
    said = said_of(caught.value)
    assert said[PRIMARY][0] is True and said[SECONDARY] == (True, "gives every set as it is to be")
    assert said[OTHER][0] is False


def test_a_secondary_that_is_silent_for_the_whole_time_does_not_keep_the_others_from_being_asked_again(cut):
    write(cut)
    with socket.create_server((OTHER, cut.port)) as silent, ThreadPoolExecutor(1) as pool:

        def write_when_the_silent_one_is_asked() -> None:
            with silent.accept()[0] as client:
                write(cut, MX1)
                while client.recv(4096):
                    pass

        written = pool.submit(write_when_the_silent_one_is_asked)
        with pytest.raises(ServersDisagree) as caught:
            wait(cut, AFTER, 3.0, ask_timeout=60.0)
        written.result()
    said = said_of(caught.value)
    assert said[PRIMARY][0] is True and said[SECONDARY][0] is True
    assert said[OTHER][0] is False and "did not answer" in said[OTHER][1]


def test_a_hidden_server_is_waited_for_by_name_and_by_address(cut):
    write(cut, MX1)
    with relay_to(cut.secondary, address=OTHER, port=cut.port):
        with relay_to(cut.primary, address=HIDDEN, port=cut.port):
            assert [view.waited.server for view in wait(cut, AFTER, 10.0, HIDDEN)] == [*NAMES, HIDDEN]
            assert [view.waited.server for view in wait(cut, AFTER, 10.0, "ns4.example.com", HIDDEN)] == [
                *NAMES,
                "ns4.example.com",
            ]
        with pytest.raises(ServersDisagree, match=rf"{HIDDEN} \({HIDDEN}\) cannot be asked"):
            wait(cut, AFTER, 0.5, HIDDEN)


def test_a_server_without_any_address_fails_at_once_and_the_others_are_told_all_the_same(cut):
    write(cut, MX1)
    with pytest.raises(ServersDisagree, match=r"^not every .* nowhere\.invalid has no address") as caught:
        wait(cut, AFTER, 86400.0, "nowhere.invalid")
    said = said_of(caught.value)
    assert said[PRIMARY][0] is True and said[None][0] is False


def test_an_address_without_a_way_to_it_is_left_out_where_its_server_has_another_one(cut, monkeypatch):
    opened = socket.create_connection

    def without_ipv6(address: tuple[str, int], *options: Any) -> socket.socket:
        if ":" in address[0]:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        return opened(address, *options)

    write(cut, MX1)
    monkeypatch.setattr(transport.socket, "create_connection", without_ipv6)
    with (
        relay_to(cut.secondary, address=OTHER, port=cut.port),
        relay_to(cut.primary, address=HIDDEN, port=cut.port),
    ):
        views = wait(cut, AFTER, 10.0, "ns5.example.com")
        assert {view.waited.address: view.agrees for view in views[3:]} == {HIDDEN: True, UNREACHED: None}
        with pytest.raises(ServersDisagree, match=rf"{UNREACHED} \({UNREACHED}\) cannot be asked.*unreachable"):
            wait(cut, AFTER, 1.0, UNREACHED)
