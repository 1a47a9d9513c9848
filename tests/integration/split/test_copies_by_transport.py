# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of dual delivery where sites deliver by local(8) or pipe(8): each mailbox has each message once.

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mailbox_server import arrives, everything_in, fill, mailbox_server, queue_is_empty, send
from split_network import Network
from split_server import SplitServer

SETTINGS = """\
mydestination = localhost
alias_maps = lmdb:{config}/local_aliases
alias_database = lmdb:{config}/local_aliases
virtual_alias_maps =
virtual_mailbox_domains =
transport_maps =
mail_spool_directory = {directory}/mailboxes/
allow_mail_to_files = alias,forward
"""
PIPE = "keeper unix - n n - - pipe flags=Rq user=nobody argv=tee -a {mailboxes}/${{user}}\n"


@pytest.fixture(params=["local", "pipe"])
def sites(network: Network, request: pytest.FixtureRequest) -> Iterator[dict[str, SplitServer]]:
    with mailbox_server(network, "hq", SETTINGS, {}) as hq, mailbox_server(network, "cloud", SETTINGS, {}) as cloud:
        servers = {"hq": hq, "cloud": cloud}
        for site, server in servers.items():
            mailboxes = server.directory / "mailboxes"
            mailboxes.chmod(0o777)
            # alice is no Unix user; her mail is written to a file by local(8), by her alias.
            fill(server, "local_aliases", f"alice: {mailboxes}/alice\n")
            with (server.config / "master.cf").open("a") as file:
                file.write(PIPE.format(mailboxes=mailboxes))
            transport = {"local": "local:", "pipe": "keeper:"}[request.param]
            other = "cloud" if site == "hq" else "hq"
            relay = {"host": servers[other].address, "port": servers[other].port}
            route = {"address": "alice@example.com", "to": "local" if site == "hq" else relay, "copy": ["cloud"]}
            server.routes("example.com", routes=[route], local_transport=transport, state="exact")
            server.split(
                {
                    "domain": "example.com",
                    "site": site,
                    "local_transport": transport,
                    "peers": [{"site": other, "managed": True, "relay": relay}],
                }
            )
            server.start()
        yield servers


@pytest.mark.parametrize("entrance", ["hq", "cloud"])
def test_each_site_gets_its_copy_once(sites: dict[str, SplitServer], entrance: str) -> None:
    send(sites[entrance], "alice@example.com", "a text for two")
    for server in sites.values():
        assert arrives(server, "alice", "a text for two"), server.log()
    for _way in range(2):
        for server in sites.values():
            assert queue_is_empty(server), server.log()
    for server in sites.values():
        found = everything_in(server)
        assert list(found) == ["alice"]
        assert found["alice"].count("Subject: a text for two") == 1
        assert "bounced" not in server.log()
