# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on name servers of every make: over IPv6, by a name, over UDP, and where a reply is too large.

from __future__ import annotations

import socket
from typing import Any

import dns.flags
import dns.message
import dns.query
import pytest
from authoritative_server import ADDRESS, ADDRESS6, AuthoritativeServer, free_port

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
PROTOCOLS = pytest.mark.parametrize("protocol", ["tcp", "udp"])
# An address of loopback where nobody listens.
DESERTED = "127.0.0.99"


def publish_and_look_again(running: AuthoritativeServer, name: str, **options: Any) -> None:
    wish = {"name": name, "mx": [MX1]}
    assert publish_mx_records(running.params(wish, **options), False).changed
    assert running.mx(name) == [(10, "mx1.example.com.", 3600)]
    assert not publish_mx_records(running.params(wish, **options), False).changed


def resolve(monkeypatch: pytest.MonkeyPatch, name: str, *addresses: str) -> None:
    """Let a host name have these addresses, in this order."""
    real = socket.getaddrinfo

    def found(host: str, port: int, *arguments: Any, **options: Any) -> list[Any]:
        of_host = addresses if host == name else [host]
        return [entry for address in of_host for entry in real(address, port, *arguments, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@PROTOCOLS
def test_a_server_is_reached_over_ipv6(server, protocol):
    publish_and_look_again(server, "six.example.com", server=ADDRESS6, protocol=protocol)


@PROTOCOLS
def test_a_server_may_be_given_by_its_name(server, protocol):
    publish_and_look_again(server, "named.example.com", server="LocalHost.", protocol=protocol)


@PROTOCOLS
@pytest.mark.parametrize("others", [[DESERTED], ["127.0.0.98", DESERTED]], ids=["one", "two"])
def test_a_server_with_an_address_where_it_does_not_listen_is_reached_at_another(server, protocol, others, monkeypatch):
    resolve(monkeypatch, "ns1.example.com", *others, ADDRESS6, ADDRESS)
    publish_and_look_again(server, "multi.example.com", server="ns1.example.com", protocol=protocol)


@PROTOCOLS
def test_a_server_that_listens_at_none_of_its_addresses_is_told(named, protocol, monkeypatch):
    resolve(monkeypatch, "ns1.example.com", DESERTED, ADDRESS)
    params = named.params({"name": "example.com", "mx": [MX1]}, server="ns1.example.com", protocol=protocol)
    with pytest.raises(failures.ServerUnreachable, match=r"ns1\.example\.com .*[Cc]onnection refused"):
        publish_mx_records({**params, "port": free_port()}, False)


@PROTOCOLS
def test_a_server_whose_name_has_no_address_is_told(named, protocol):
    params = named.params({"name": "example.com", "mx": [MX1]}, server="nowhere.invalid", protocol=protocol)
    with pytest.raises(failures.ServerUnreachable, match=r"nowhere\.invalid .* name cannot be resolved"):
        publish_mx_records(params, False)


def test_a_set_that_does_not_fit_into_a_datagram_is_read_over_tcp_instead(server):
    many = [{"preference": number, "exchange": f"mx{number}.some-mail-service.example"} for number in range(100)]
    wish = {"name": "large.example.com", "mx": many}
    assert publish_mx_records(server.params(wish, protocol="udp"), False).changed
    question = dns.message.make_query("large.example.com", "MX")
    datagram = dns.query.udp(question, server.address, 5, server.port)
    assert datagram.flags & dns.flags.TC
    outcome = publish_mx_records(server.params({**wish, "mx": many[1:]}, protocol="udp"), False)
    assert outcome.values["record_sets"][0]["before"]["mx"] == many
    assert len(server.mx("large.example.com")) == 99
    assert not publish_mx_records(server.params({**wish, "mx": many[1:]}, protocol="udp"), False).changed
