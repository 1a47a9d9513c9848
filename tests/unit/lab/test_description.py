# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What hosts.yml says, and the names and zones that follow from it.

from __future__ import annotations

import ipaddress

import pytest
from laboratory.description import LabError, lab_description
from laboratory.directories import UNLISTED
from laboratory.expectations import CLOUD, HQ, OUTSIDE
from laboratory.zones import key_text, name_server_files

SUBNET = ipaddress.IPv4Network("198.51.100.16/28")


def test_every_subnet_has_room_for_every_host():
    description = lab_description()
    for subnet in description.subnets():
        addresses = {host.address(subnet) for host in description.hosts}
        usable = {str(address) for address in subnet.hosts()}
        gateway = str(subnet[1])
        assert len(addresses) == len(description.hosts)
        assert addresses <= usable - {gateway}


def test_many_laboratories_find_room_beside_each_other():
    subnets = lab_description().subnets()
    assert len(set(subnets)) == len(subnets) > 100
    subnets = subnets[:100]
    assert not any(one.overlaps(other) for one in subnets for other in subnets if one is not other)


def test_the_hosts_of_the_expectations_are_there():
    names = {host.name for host in lab_description().hosts}
    assert {HQ, CLOUD, OUTSIDE} <= names


def test_an_unknown_host_is_told_with_those_that_exist():
    with pytest.raises(LabError, match="no host mx2; its hosts are ns1"):
        lab_description().host("mx2")


def test_no_mailbox_is_at_two_hosts():
    mailboxes = [mailbox for host in lab_description().mail_servers for mailbox in host.mailboxes]
    assert len(mailboxes) == len(set(mailboxes))


def test_users_that_only_call_ahead_knows_have_a_mailbox_at_cloud():
    assert set(UNLISTED) <= set(lab_description().host(CLOUD).mailboxes)


def test_every_host_has_an_address_in_its_zone_and_a_name_for_its_address():
    description = lab_description()
    files = name_server_files(description, SUBNET, "c2VjcmV0")
    forward = "".join(text for path, text in files.items() if path.endswith(".zone"))
    for host in description.hosts:
        assert f"{host.fqdn}. IN A {host.address(SUBNET)}\n" in forward
        last = host.address(SUBNET).rsplit(".", 1)[1]
        assert f"{last}.100.51.198.in-addr.arpa. IN PTR {host.fqdn}.\n" in files["/var/lib/bind/reverse.zone"]


def test_the_split_domain_starts_with_its_mx_at_another_server_than_the_master():
    text = name_server_files(lab_description(), SUBNET, "c2VjcmV0")["/var/lib/bind/example.com.zone"]
    records = [line for line in text.splitlines() if " MX " in line]
    assert records == [f"@ IN MX 10 {CLOUD}."]


def test_updates_need_the_key_and_may_change_mx_records_only():
    text = name_server_files(lab_description(), SUBNET, "c2VjcmV0")["/etc/bind/named.conf"]
    for zone in lab_description().zones:
        block = text[text.index(f'zone "{zone.name}"') :]
        assert 'update-policy { grant "mail-update." zonesub MX; };' in block[: block.index("\n};")]


def test_a_key_file_is_what_bind_reads():
    assert key_text("k.", "c2VjcmV0") == 'key "k." {\n    algorithm hmac-sha256;\n    secret "c2VjcmV0";\n};\n'
