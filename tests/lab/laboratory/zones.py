# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# BIND's configuration and zone files, from the description of the laboratory. Pure: text in, text out.
"""The DNS of the laboratory as files of BIND 9."""

from __future__ import annotations

import ipaddress

from laboratory.description import Description, Zone

ZONE_FOLDER = "/var/lib/bind"
KEY_FILE = "/etc/bind/split-domain-lab.key"
TTL_SECONDS = 5


def key_text(name: str, secret: str) -> str:
    """Give a TSIG key in the form of BIND's key files; ``secret`` is base64."""
    return f'key "{name}" {{\n    algorithm hmac-sha256;\n    secret "{secret}";\n}};\n'


def name_server_files(description: Description, subnet: ipaddress.IPv4Network, secret: str) -> dict[str, str]:
    """Give path and text of every file that the name server needs."""
    files = {
        "/etc/bind/named.conf": _named_conf(description, subnet),
        KEY_FILE: key_text(description.dns_key, secret),
        f"{ZONE_FOLDER}/root.zone": _header(description) + _address_record(description, subnet),
        f"{ZONE_FOLDER}/reverse.zone": _reverse_zone(description, subnet),
    }
    for zone in description.zones:
        files[f"{ZONE_FOLDER}/{zone.name}.zone"] = _forward_zone(description, zone, subnet)
    return files


def _named_conf(description: Description, subnet: ipaddress.IPv4Network) -> str:
    address = description.name_server.address(subnet)
    parts = [
        f'include "{KEY_FILE}";',
        "options {",
        '    directory "/var/cache/bind";',
        f"    listen-on {{ 127.0.0.1; {address}; }};",
        "    listen-on-v6 { none; };",
        "    # Every zone of this Internet is here: what is not found does not exist. Nothing is asked elsewhere.",
        "    recursion yes;",
        "    allow-recursion { any; };",
        "    allow-transfer { any; };",
        "    dnssec-validation no;",
        "    notify no;",
        "    # Who asked for which MX record is part of what the tests look at.",
        "    querylog yes;",
        "};",
        f'zone "." {{ type primary; file "{ZONE_FOLDER}/root.zone"; }};',
        f'zone "{_reverse_name(subnet)}" {{ type primary; file "{ZONE_FOLDER}/reverse.zone"; }};',
    ]
    parts += [
        f'zone "{zone.name}" {{\n'
        f'    type primary;\n    file "{ZONE_FOLDER}/{zone.name}.zone";\n'
        f'    update-policy {{ grant "{description.dns_key}" zonesub MX; }};\n}};'
        for zone in description.zones
    ]
    return "\n".join(parts) + "\n"


def _header(description: Description) -> str:
    server = description.name_server.fqdn
    return (
        f"$TTL {TTL_SECONDS}\n"
        f"@ IN SOA {server}. hostmaster.{server}. 1 3600 600 86400 {TTL_SECONDS}\n"
        f"@ IN NS {server}.\n"
    )


def _address_record(description: Description, subnet: ipaddress.IPv4Network) -> str:
    server = description.name_server
    return f"{server.fqdn}. IN A {server.address(subnet)}\n"


def _forward_zone(description: Description, zone: Zone, subnet: ipaddress.IPv4Network) -> str:
    lines = [_header(description)]
    lines += [f"@ IN MX {record}\n" for record in zone.mx]
    lines += [
        f"{host.fqdn}. IN A {host.address(subnet)}\n"
        for host in description.hosts
        if host.fqdn.endswith("." + zone.name)
    ]
    return "".join(lines)


def _reverse_name(subnet: ipaddress.IPv4Network) -> str:
    octets = str(subnet.network_address).split(".")[:3]
    return ".".join(reversed(octets)) + ".in-addr.arpa"


def _reverse_zone(description: Description, subnet: ipaddress.IPv4Network) -> str:
    pointers = [
        f"{ipaddress.IPv4Address(host.address(subnet)).reverse_pointer}. IN PTR {host.fqdn}.\n"
        for host in description.hosts
    ]
    return _header(description) + "".join(pointers)
