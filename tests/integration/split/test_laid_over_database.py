# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of a split laid over a server whose domains and mailboxes are in PostgreSQL, also while that is down.

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from mailbox_server import arrives, everything_in, mailbox_server, send
from postgresql_server import PASSWORD, Database, database
from split_network import Network
from split_server import SplitServer

SETTINGS = """\
mydestination = localhost
alias_maps =
virtual_mailbox_domains = proxy:pgsql:{config}/domains.cf
virtual_mailbox_maps = proxy:pgsql:{config}/mailboxes.cf
virtual_alias_maps = lmdb:{config}/aliases
transport_maps =
"""
CLOUD_SETTINGS = """\
mydestination = localhost
alias_maps =
virtual_mailbox_domains = example.com
virtual_mailbox_maps = lmdb:{config}/mailboxes
virtual_alias_maps =
transport_maps =
"""
ROWS = """
INSERT INTO domains VALUES ('example.com'), ('example.net');
INSERT INTO mailboxes VALUES
  ('ann@example.com', 'ann'), ('moved@example.com', 'moved'), ('carl@example.net', 'carl');
"""
QUERIES = {
    "domains.cf": "SELECT name FROM domains WHERE name = '%s'",
    "mailboxes.cf": "SELECT path FROM mailboxes WHERE address = '%s'",
}


@dataclass(frozen=True)
class Site:
    """A server with its users in a database, and another site."""

    hq: SplitServer
    cloud: SplitServer
    users: Database

    def split(self, **arguments: Any) -> dict[str, Any]:
        """Lay the split over hq."""
        to_cloud = f"[{self.cloud.address}]:{self.cloud.port}"
        routes = [{"address": f"{name}@example.com", "to": to_cloud} for name in ("bob", "moved")]
        self.hq.routes("example.com", routes=[*routes, {"address": "ann@example.com", "to": "local"}])
        relay = {"host": self.cloud.address, "port": self.cloud.port}
        domain = {"domain": "example.com", "unknown": "cloud", "peers": [{"site": "cloud", "relay": relay}]}
        return self.hq.split(domain, **arguments)


@pytest.fixture(scope="module")
def site(network: Network) -> Iterator[Site]:
    with ExitStack() as servers:
        users = servers.enter_context(database())
        users.execute(ROWS)
        aliases = {"aliases": "sales@example.com ann@example.com\n"}
        hq = servers.enter_context(mailbox_server(network, "hq", SETTINGS, aliases))
        for name, query in QUERIES.items():
            (hq.config / name).write_text(users.table(query))
        mailboxes = {"mailboxes": "bob@example.com bob\nmoved@example.com moved\ncyd@example.com cyd\n"}
        cloud = servers.enter_context(mailbox_server(network, "cloud", CLOUD_SETTINGS, mailboxes))
        found = Site(hq, cloud, users)
        before = hq.files()
        # Postfix does not run yet, nor does proxymap(8).
        found.split()
        hq.split(purge=True)
        assert hq.files() == before
        hq.start()
        cloud.start()
        result = found.split()
        assert PASSWORD not in json.dumps(result)
        yield found


@pytest.mark.parametrize(
    ("client", "recipient", "reply"),
    [
        ("outside", "ann@example.com", "250"),
        ("outside", "Ann+news@example.com", "250"),
        ("outside", "sales@example.com", "250"),
        ("outside", "bob@example.com", "250"),
        ("outside", "moved+x@example.com", "250"),
        ("outside", "cyd@example.com", "250"),
        ("outside", "nobody@example.com", "550"),
        ("outside", "carl@example.net", "250"),
        ("outside", "nobody@example.net", "550 5.1.1"),
        ("outside", "someone@elsewhere.test", "554 5.7.1"),
        ("cloud", "ann@example.com", "250"),
        ("cloud", "bob@example.com", "554 5.4.6"),
        ("cloud", "nobody@example.com", "550 5.1.1"),
    ],
)
def test_the_server_answers(site: Site, client: str, recipient: str, reply: str) -> None:
    assert str(site.hq.ask(recipient, client)).startswith(reply)


def test_mail_comes_to_the_mailbox_of_each(site: Site) -> None:
    wanted = [
        ("ann@example.com", site.hq, "ann"),
        ("ann+news@example.com", site.hq, "ann"),
        ("sales@example.com", site.hq, "ann"),
        ("carl@example.net", site.hq, "carl"),
        ("bob@example.com", site.cloud, "bob"),
        ("moved@example.com", site.cloud, "moved"),
        ("cyd@example.com", site.cloud, "cyd"),
    ]
    for number, (recipient, _server, _mailbox) in enumerate(wanted):
        send(site.hq, recipient, f"message {number} from the database")
    for number, (_recipient, server, mailbox) in enumerate(wanted):
        assert arrives(server, mailbox, f"message {number} from the database"), site.hq.log()
    assert "moved" not in everything_in(site.hq)


def test_a_user_who_comes_or_goes_in_the_database_needs_no_run(site: Site) -> None:
    site.users.execute("INSERT INTO mailboxes VALUES ('new@example.com', 'new');")
    assert site.hq.ask("new@example.com").code == 250
    assert site.hq.ask("new@example.com", "cloud").code == 250
    site.users.execute("DELETE FROM mailboxes WHERE address = 'new@example.com';")
    assert str(site.hq.ask("new@example.com", "cloud")).startswith("550 5.1.1")


def test_a_second_run_changes_nothing(site: Site) -> None:
    before = site.hq.files()
    assert not site.split()["changed"]
    assert site.hq.files() == before


def test_nobodys_mail_is_refused_or_sent_elsewhere_while_the_database_is_down(site: Site) -> None:
    site.users.stop()
    try:
        for client in ("outside", "cloud"):
            assert site.hq.ask("ann@example.com", client).code == 451
            assert site.hq.ask("ann+news@example.com", client).code == 451
            assert site.hq.ask("nobody.knows@example.com", client).code == 451
        assert site.hq.ask("carl@example.net").code == 451
        assert site.hq.ask("bob@example.com").code == 250
        assert site.hq.ask("moved@example.com").code == 250
        assert site.hq.ask("bob@example.com", "cloud").code == 554
        send(site.hq, "bob@example.com", "message while the database is down")
        assert arrives(site.cloud, "bob", "message while the database is down"), site.hq.log()
        before = site.hq.files()
        result = site.hq.run("split_domains", domains=[{"domain": "example.net", "peers": [_peer(site)]}])
        assert result["failed"]
        assert "pgsql:" in result["msg"]
        assert PASSWORD not in json.dumps(result)
        assert site.hq.files() == before
    finally:
        site.users.start()
        # pgsql_table(5) tries a server that failed again only after a minute.
        site.hq.restart()
    assert site.hq.ask("ann@example.com").code == 250
    assert site.hq.ask("nobody@example.com", "cloud").code == 550


def _peer(site: Site) -> dict[str, Any]:
    return {"site": "cloud", "relay": {"host": site.cloud.address, "port": site.cloud.port}}
