# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of what kills leave at the steps of a whole run over two sites, while parts of the map come and go:
# no user is refused, each message comes to its mailbox once, and the next run leaves what it would have left anyway.

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate
from mailbox_sink import MailboxSink, mailbox_sink
from site_runs import Play, SplitMap, halt_everywhere
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

SUBDOMAIN = "cloud.example.com"
ALIAS = "other.example"
SECRET = "never shown"  # noqa: S105
# More moments than that are looked at.
FEW = 3


@dataclass
class Sites:
    """Two managed sites of example.com with their mailboxes, and the mail that was sent."""

    servers: dict[str, SplitServer]
    mailboxes: dict[str, MailboxSink]
    certificate: str
    numbers: Iterator[int] = field(default_factory=count)
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By subject: the moment, and the recipient's user name."""

    @property
    def play(self) -> Play:
        return Play(self.servers)

    def split_map(
        self, hq: dict[str, Any] | None = None, cloud: dict[str, Any] | None = None, copy: str = "", **more: Any
    ) -> SplitMap:
        """Give a map of both sites with further keys; ann, cyd and info are at hq, bob and dan in the cloud."""
        sites = [
            {"role": "master", **(hq or {})},
            {"unknown": "hq", "directory": [{"address": "dan@example.com"}], **(cloud or {})},
        ]
        for site, (name, server) in zip(sites, self.servers.items()):
            relay = {"host": server.address, "port": server.port, **site.pop("security", {})}
            site.update(
                {"name": name, "hosts": [name], "relay": relay, "clients": [server.address]},
                local_transport=self.mailboxes[name].transport,
            )
            if site.get("directory", 1) is None:
                del site["directory"]
        homes = {"ann": "hq", "cyd": "hq", "info": "hq", "bob": "cloud"}
        directory = [{"address": f"{name}@example.com", "site": site} for name, site in homes.items()]
        directory[0]["copy"] = copy
        return [{"domain": "example.com", "directory": directory, "sites": sites, **more}]

    def look(self, moment: str, known: tuple[str, ...], coming: tuple[str, ...] = ()) -> None:
        """See what is answered to whom, and send mail to everybody who is taken.

        ``known`` are known all the time, at both sites; ``coming`` come and go with the map: ``address at site``.
        """
        for host, server in self.servers.items():
            assert server.command("postfix", "check").stderr == "", moment
            assert server.ask("someone@elsewhere.test").code == 554, moment
            for address in known:
                assert self._send(server, address, moment) // 100 in (2, 4), f"{moment}: {address}"
            for address, _at, place in (one.partition(" at ") for one in coming):
                if place == host:
                    # Of an address that was asked for before, an answer may be remembered that is no more true.
                    self._send(server, address.replace("nobody", f"nobody-{next(self.numbers)}"), moment)
            for path in server.ours.rglob("*") if server.ours.exists() else ():
                if path.is_file() and SECRET.encode() in path.read_bytes():
                    assert path.stat().st_mode & 0o077 == 0, f"{moment}: {path}"

    def _send(self, server: SplitServer, address: str, moment: str) -> int:
        code = server.ask(address).code
        if code == 250:
            subject = f"{next(self.numbers)} {address} at {server.host}"
            self.sent[subject] = (moment, re.split("[-+@]", address)[0].lower())
            server.deliver(address, subject)
        return code

    def found(self, subject: str) -> dict[str, list[str]]:
        """Give the user names of the mailboxes that a message came to, by site."""
        return {
            site: [re.split("[+@]", one)[0].lower() for one in found]
            for site, sink in self.mailboxes.items()
            if (found := sink.recipients(subject))
        }


@pytest.fixture
def sites(network: Network, tmp_path: Path) -> Iterator[Sites]:
    certificate = make_certificate(tmp_path, "cloud.example.net")
    security = (
        f"\nsmtpd_tls_cert_file = {certificate.file}\nsmtpd_tls_key_file = {certificate.key}\n"
        "smtpd_tls_security_level = may\n"
    )
    with ExitStack() as stack:
        servers = {
            host: stack.enter_context(configured_server(network, host, GROWN_MAIN_CF + security))
            for host in ("hq", "cloud")
        }
        for server in servers.values():
            # The MX of the subdomain: where it is a recipient's domain, and where it is a next hop.
            (server.config / "transport").write_text(
                f"{SUBDOMAIN} smtp:[{servers['cloud'].address}]:{servers['cloud'].port}\n"
            )
            assert server.command("postmap", f"lmdb:{server.config / 'transport'}").returncode == 0
            fallback = f"smtp_fallback_relay = [{servers['cloud'].address}]:{servers['cloud'].port}\n"
            server.main_cf.write_text(server.main_cf.read_text() + (fallback if server.host == "hq" else ""))
            server.start()
        mailboxes = {host: stack.enter_context(mailbox_sink(network, host)) for host in servers}
        yield Sites(servers, mailboxes, certificate.fingerprint)


def check_all_mail(sites: Sites, copied: str = "") -> None:
    """Each message is in the one mailbox of its user, but for copies; none came back."""
    sites.play.settle()
    assert sites.sent
    home_of = {"ann": "hq", "cyd": "hq", "info": "hq", "nobody": "hq", "bob": "cloud", "dan": "cloud"}
    for subject, (moment, name) in sites.sent.items():
        # showq(8) overlooks a message that qmgr(8) moves from queue to queue at that moment.
        sites.mailboxes[home_of[name]].wait_for(subject, 1)
        found = sites.found(subject)
        if name == copied:
            # A copy is made or not, as long as only half of the sites know of it.
            assert found.pop("cloud", [name]) == [name], f"{moment}: {subject}"
        mailbox = "info" if name == "nobody" else name
        assert found == {home_of[name]: [mailbox]}, f"{moment}: {subject}"
    for server in sites.servers.values():
        lines = re.findall(r".*(?:status=bounced|fatal|panic|loops back|mail forwarding loop).*", server.log())
        assert lines == []


def test_a_sub_domain_and_an_alias_domain_can_come_and_go_and_be_killed_anywhere(sites: Sites) -> None:
    subdomain = {"subdomain": SUBDOMAIN, "subdomain_mx": [{"preference": 10, "exchange": "mx.example.net"}]}
    maps = [
        sites.split_map(hq={"unknown": "cloud"}),
        sites.split_map(hq={"unknown": "cloud"}, cloud=subdomain, alias_domains=[ALIAS]),
    ]
    known = ("ann@example.com", "bob@example.com", "Bob+news@example.com", "dan@example.com")
    coming = (f"bob@{SUBDOMAIN} at cloud", f"bob@{ALIAS} at cloud", f"ann@{ALIAS} at hq", f"bob@{ALIAS} at hq")
    assert halt_everywhere(sites.play, maps, lambda moment: sites.look(moment, known, coming)) > FEW
    check_all_mail(sites)


def test_copies_and_a_catch_all_can_come_and_go_and_be_killed_anywhere(sites: Sites) -> None:
    maps = [
        sites.split_map(cloud={"directory": None}),
        sites.split_map(hq={"catch_all": "info@example.com"}, cloud={"directory": None}, copy="cloud"),
    ]
    known = ("ann@example.com", "cyd@example.com", "bob@example.com")
    coming = ("nobody@example.com at hq",)
    assert halt_everywhere(sites.play, maps, lambda moment: sites.look(moment, known, coming)) > FEW
    check_all_mail(sites, copied="ann")


def test_the_guards_of_a_relay_can_come_and_go_and_be_killed_anywhere(sites: Sites) -> None:
    guarded = {"tls": "fingerprint", "fingerprints": [sites.certificate], "username": "hq", "password": SECRET}
    maps = [
        sites.split_map(hq={"unknown": "cloud"}),
        sites.split_map(
            hq={"unknown": "cloud"}, cloud={"verification_address": "bob@example.com", "security": guarded}
        ),
    ]
    known = ("ann@example.com", "bob@example.com", "dan@example.com")
    assert halt_everywhere(sites.play, maps, lambda moment: sites.look(moment, known)) > FEW
    check_all_mail(sites)


def test_a_split_with_all_of_it_can_come_and_go_and_be_killed_anywhere(sites: Sites) -> None:
    subdomain = {"subdomain": SUBDOMAIN, "subdomain_mx": [{"preference": 10, "exchange": "mx.example.net"}]}
    guarded = {"tls": "fingerprint", "fingerprints": [sites.certificate], "username": "hq", "password": SECRET}
    whole = sites.split_map(
        hq={"catch_all": "info@example.com"},
        cloud={**subdomain, "security": guarded, "directory": None},
        copy="cloud",
        alias_domains=[ALIAS],
    )
    maps = [whole, [{**whole[0], "state": "absent"}]]
    names = ("ann@example.com", "cyd@example.com", "bob@example.com", f"ann@{ALIAS}")
    coming = (*(f"{name} at hq" for name in (*names, "nobody@example.com")), f"bob@{SUBDOMAIN} at cloud")
    assert halt_everywhere(sites.play, maps, lambda moment: sites.look(moment, (), coming)) > FEW
    check_all_mail(sites, copied="ann")
