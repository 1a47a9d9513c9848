# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of users with copies who change while mail flows, or while it waits: no copy is bounced, none comes twice.

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count

import pytest
from mailbox_sink import MailboxSink, mailbox_sink
from site_runs import Play, SplitMap, halt_everywhere
from split_network import Network
from split_server import SplitServer, configured_server

HQ, CLOUD = "hq", "cloud"
ALICE = "alice@example.com"
TAKEN = 250
# More moments than that are looked at.
FEW = 3
NO_MAILBOXES = "defer_transports = lmtp\n"


@dataclass
class Sites:
    """Two managed sites of example.com with their mailboxes; ben lives at hq and has a copy in the cloud."""

    servers: dict[str, SplitServer]
    mailboxes: dict[str, MailboxSink]
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def play(self) -> Play:
        return Play(self.servers)

    def split_map(self, home: str | None, copy: str = "", ben: str = CLOUD) -> SplitMap:
        """Give a map that lists alice at ``home``, or nowhere, with a copy."""
        directory = [{"address": "ben@example.com", "site": HQ, "copy": ben}]
        directory += [{"address": ALICE, "site": home, "copy": copy}] if home else []
        sites = [
            {
                "name": name,
                "role": role,
                "hosts": [name],
                "relay": {"host": server.address, "port": server.port},
                "clients": [server.address],
                "local_transport": self.mailboxes[name].transport,
            }
            for (name, server), role in zip(self.servers.items(), ("master", "slave"))
        ]
        return [{"domain": "example.com", "directory": directory, "sites": sites}]

    def send(self, entrance: str) -> str:
        """Send a message to alice, which must be taken; return its subject."""
        subject = f"{next(self.numbers)} at {entrance}"
        self.servers[entrance].deliver(ALICE, subject)
        return subject

    def found(self, subject: str) -> dict[str, list[str]]:
        """Give the mailboxes that a message came to, by site."""
        return {site: found for site, sink in self.mailboxes.items() if (found := sink.recipients(subject))}

    def bounces(self) -> list[str]:
        return [line for one in self.servers.values() for line in re.findall(".*status=bounced.*", one.log())]


@pytest.fixture
def sites(network: Network) -> Iterator[Sites]:
    with ExitStack() as stack:
        servers = {host: stack.enter_context(configured_server(network, host)) for host in (HQ, CLOUD)}
        for server in servers.values():
            server.start()
        yield Sites(servers, {host: stack.enter_context(mailbox_sink(network, host)) for host in servers})


@pytest.mark.parametrize(
    ("home", "copy"), [(CLOUD, HQ), (CLOUD, ""), (HQ, "")], ids=["moved-with-a-copy-back", "moved", "copied-no-more"]
)
@pytest.mark.parametrize("ben", [CLOUD, ""], ids=["others-are-copied", "nobody-is-copied-any-more"])
def test_no_copy_is_bounced_or_doubled_while_a_user_changes(sites: Sites, home: str, copy: str, ben: str) -> None:
    sites.play.play(sites.split_map(HQ, CLOUD))
    sent = [sites.send(entrance) for entrance in (HQ, CLOUD)]
    for call in sites.play.calls(sites.split_map(home, copy, ben)):
        call.do()
        sent += [sites.send(entrance) for entrance in (HQ, CLOUD)]
    for server in sites.servers.values():
        # For half a minute qmgr(8) remembers where the last address of all went.
        server.deliver("ben@example.com", "another")
    sites.play.settle()
    last = [sites.send(entrance) for entrance in (HQ, CLOUD)]
    sites.play.settle()
    assert sites.bounces() == []
    for subject in sent:
        found = sites.found(subject)
        assert found
        assert all(mailboxes == [ALICE] for mailboxes in found.values()), subject
    wanted = {site: [ALICE] for site in (home, *copy.split())}
    assert [sites.found(subject) for subject in last] == [wanted, wanted]
    before = sites.play.answers()
    sites.play.play(sites.split_map(home, copy, ben))
    assert sites.play.answers() == before
    names = (sites.servers[CLOUD].ours / "aliases").read_text()
    assert (".split-domain.invalid" in names) == bool(ben or copy)


@pytest.mark.parametrize(("home", "copy"), [(CLOUD, HQ), (CLOUD, ""), (HQ, "")])
def test_a_copy_that_waits_is_delivered_when_its_user_has_changed_meanwhile(sites: Sites, home: str, copy: str) -> None:
    sites.play.play(sites.split_map(HQ, CLOUD))
    sites.servers[CLOUD].stop()
    subject = sites.send(HQ)
    assert sites.mailboxes[HQ].wait_for(subject, 1) == [ALICE]
    sites.play.play(sites.split_map(home, copy))
    sites.servers[CLOUD].start()
    sites.play.settle()
    assert sites.found(subject) == {HQ: [ALICE], CLOUD: [ALICE]}
    assert sites.bounces() == []


def test_a_move_can_be_killed_anywhere(sites: Sites) -> None:
    maps = [sites.split_map(HQ, CLOUD), sites.split_map(CLOUD, HQ)]
    sent = []

    def look(moment: str) -> None:
        for entrance, server in sites.servers.items():
            code = server.ask(ALICE).code
            assert code // 100 in (2, 4), moment
            sent.extend([sites.send(entrance)] if code == TAKEN else [])

    assert halt_everywhere(sites.play, maps, look, (4, 12)) > FEW
    assert sent
    assert all(sites.found(subject) for subject in sent)
    assert {tuple(found) for subject in sent for found in sites.found(subject).values()} == {(ALICE,)}
    assert sites.bounces() == []


def test_a_message_that_waits_for_the_old_home_keeps_its_user_there_lest_the_new_one_gets_it_twice(
    sites: Sites,
) -> None:
    hq, moved = sites.servers[HQ], sites.split_map(CLOUD, HQ)
    sites.play.play(sites.split_map(HQ, CLOUD))
    main_cf = hq.config / "main.cf"
    main_cf.write_text(f"{main_cf.read_text()}\n{NO_MAILBOXES}")
    hq.command("postfix", "reload")
    hq.deliver("alice+news@example.com", "waits")
    assert sites.mailboxes[CLOUD].wait_for("waits", 1) == ["alice+news@example.com"]
    wait_until_deferred(hq)
    refused = [hq.run(call.module, **call.arguments) for call in sites.play.calls(moved) if str(call).endswith(HQ)]
    assert [result["msg"] for result in refused if result.get("failed")] == [
        "1 recipient(s) who get copies and move to another site wait in the queue of this server "
        "(alice+news@example.com), and their mail would come twice there: let it be delivered (postqueue -f), or "
        "remove it or put it on hold (postsuper), then run again"
    ]
    main_cf.write_text(main_cf.read_text().replace(NO_MAILBOXES, ""))
    hq.command("postfix", "reload")
    # Mail is sent on its way before the run goes on.
    sites.play.play(moved)
    sites.play.settle()
    assert sites.found("waits") == {site: ["alice+news@example.com"] for site in (HQ, CLOUD)}


def wait_until_deferred(server: SplitServer) -> None:
    deadline = time.monotonic() + 30
    while '"queue_name": "deferred"' not in server.command("postqueue", "-j").stdout:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def test_a_copy_for_a_user_who_is_listed_no_more_is_refused(sites: Sites) -> None:
    cloud = sites.servers[CLOUD]
    name = "alice@cloud.example.com.split-domain.invalid"
    sites.play.play(sites.split_map(HQ, CLOUD))
    sites.play.play(sites.split_map(HQ))
    assert cloud.ask(name, HQ).code == 250
    sites.play.play(sites.split_map(None))
    assert str(cloud.ask(name, HQ)).startswith("550 5.1.1")
