# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The places in which the canary of test_canaries.py is put: right and wrong ones of every module, filter and role.

from __future__ import annotations

from typing import Any

COLLECTION = "mailops.split_domain"
CANARY = "CANARY-7f3b"
# With all that has to be written otherwise in Python, JSON, YAML and a shell.
SECRET = f'{CANARY}\'s \\ "{{x}}" ${{y}} ü'
# In a URL and in a name no blank stands.
WORD = f"{CANARY}.w\\rd"
C, W, B64 = "{{ secret }}", "{{ word }}", "{{ word | b64encode }}{{ word | b64encode }}"
NOWHERE = {"host": "127.0.0.1", "port": 9}
PASSWORD = {**NOWHERE, "password": C}
ROUTE = {"address": "bob@example.com", "to": NOWHERE}


def relay(**more: Any) -> dict[str, Any]:
    """Give the domain with another site whose relay has these properties."""
    peer = {"site": "cloud", "relay": {**NOWHERE, **more}, "clients": ["192.0.2.9"]}
    return {"domain": "example.com", "peers": [peer]}


def key(**more: Any) -> dict[str, Any]:
    """Give the arguments of an update that nobody takes."""
    sets = [{"name": "example.com", "mx": [{"preference": 10, "exchange": "mx1.example.com"}]}]
    return {"server": "127.0.0.1", "port": 9, "timeout": 1, "record_sets": sets, **more}


def asked(**more: Any) -> dict[str, Any]:
    """Give the arguments of a question that nobody answers."""
    return {**NOWHERE, "recipients": ["ann@example.com"], "timeout": 2, **more}


LOGIN = {"tls": "verify", "tls_names": ["mx.example.net"], "username": "u"}
# Arguments of each module: the first are right, the others have the secret in a wrong place.
MODULES: dict[str, list[dict[str, Any]]] = {
    "smtp_probe": [
        asked(**LOGIN, passwords=[PASSWORD]),
        asked(password=C),
        asked(**LOGIN, passwords=[{**NOWHERE, "passwrod": C}]),
        asked(**LOGIN, passwords=[C]),
        asked(**LOGIN, passwords=C),
        asked(**LOGIN, passwords={"127.0.0.1": C}),
        asked(**LOGIN, passwords=f"host=h,password={W}"),
        asked(**{**LOGIN, "username": f"u:{C}"}, passwords=[PASSWORD]),
        {**asked(), "host": f"smtp://u:{W}@mx.example.net"},
        {**asked(), "host": f"u:{W}"},
        {**asked(), "host": f"{W}@mx.example.net"},
        asked(addresses=[f"u:{W}@192.0.2.1"]),
        {**asked(), "recipients": [{"address": "ann@example.com", "kennwort": C}]},
        {**asked(), "recipients": [{"address": "ann@example.com", "password": C}]},
        asked(sender=f"u:{W}@example.org"),
        asked(**{**LOGIN, "username": f"u\n{W}"}, passwords=[PASSWORD]),
        asked(**{**LOGIN, "username": f"u {C}\n"}, passwords=[PASSWORD]),
        asked(**{**LOGIN, "username": ["u", C]}, passwords=[PASSWORD]),
        asked(**LOGIN, passwords=[{**PASSWORD, "port": C}]),
        asked(**{**LOGIN, "tls": f"verify:{W}"}),
        asked(tls="fingerprint", fingerprints=[C]),
        asked(addresses=[f"1.2.3.4 {C}"]),
        asked(**{f"u:{W}": "x"}),
        {**asked(), "host": f"h u {W}"},
        {**asked(), "host": f"smtp://h/?password={W}"},
        {**asked(), "host": f"h.example.net:{W}"},
        {**asked(), "port": f"25:{W}"},
        {**asked(), "recipients": [{"address": "ann@example.com", "expect": C}]},
    ],
    "split_domains": [
        {"domains": [relay(**LOGIN)], "passwords": [PASSWORD]},
        {"domains": [relay(**LOGIN, password=C)]},
        {"domains": [relay(**LOGIN, passwrod=C)]},
        {"domains": [relay(**LOGIN, kennwort=C)]},
        {"domains": [relay(**{**LOGIN, "username": f"u:{C}"})]},
        {"domains": [relay(host=f"smtp://u:{W}@mx.example.net")]},
        {"domains": [{**relay(), "password": C}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": f"smtp://u:{W}@h"}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": f"host=h passwrod={W}"}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relay": {"host": "h"}, "secret": C}]}]},
        {"domains": [{"domain": "example.com", "peers": [{"site": "x", "relays": [{"host": "h", "pw": C}]}]}]},
        {"domains": [relay(**LOGIN)], "passwords": [{**PASSWORD, "port": 10}], "passwrods": [PASSWORD]},
        {"domains": [relay(**LOGIN)], "passwords": [{"host": "127.0.0.1", "password": [C]}]},
        {"domains": [relay(**{**LOGIN, "username": f"u\t{C}"})]},
        {"domains": [relay(**{**LOGIN, "username": f"u {C}\n"})]},
        {"domains": [relay(**{**LOGIN, "username": ["u", C]})]},
        {"domains": [relay(port=f"587:{W}")]},
        {"domains": [relay(port=W)]},
        {"domains": [relay(tls=f"verify:{W}")]},
        {"domains": [relay(host=f"h.example.net u {W}")]},
        {"domains": [relay(tls="fingerprint", fingerprints=[W])]},
        {"domains": [relay(**{f"u:{W}": 1})]},
        {"domains": [relay(**{W: 1})]},
        {"domains": [{"domain": "example.com", "peers": [["x", C]]}]},
        {"domains": [{**relay(), "unknown": f"u:{W}"}]},
        {"domains": [{**relay(), "peers": [{**relay()["peers"][0], "clients": [f"192.0.2.9 {W}"]}]}]},
        {"domains": [relay()], "purge": W},
    ],
    "recipient_routes": [
        {"domain": "example.com", "routes": [ROUTE]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": {**NOWHERE, "password": C}}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": f"smtp://u:{W}@h:25"}]},
        {"domain": "example.com", "routes": [{**ROUTE, "kennwort": C}]},
        {"domain": "example.com", "routes": [ROUTE], "passwrod": C},
        {"domain": "example.com", "src": "/nowhere", "sites": {"cloud": {**NOWHERE, "password": C}}},
        {"domain": "example.com", "src": "rows.csv", "sites": {"cloud": {**NOWHERE, "passwrod": C}}},
        {"domain": "example.com", "routes": [{**ROUTE, "to": f"[h]:587 u:{W}"}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": ["h", W]}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": {**NOWHERE, "tls": f"verify:{W}"}}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": {**NOWHERE, "port": f"25:{W}"}}]},
        {"domain": "example.com", "routes": [{**ROUTE, "to": {**NOWHERE, f"u:{W}": 1}}]},
        {"domain": "example.com", "src": "rows.csv", "sites": {"cloud": f"[h]:25 u:{W}"}},
    ],
    "email_routing": [
        {"domains": [{"domain": "example.org", "mode": "local"}]},
        {"domains": [{"domain": "example.org", "mode": "local", "passwrod": C}]},
        {"domains": [{"domain": "example.org", "mode": "auto"}], "resolver": [f"u:{W}@127.0.0.1"]},
        {"domains": [{"domain": "example.org", "mode": "auto"}], "mx_sets": [{"name": "x", "password": C}]},
    ],
    "mx_records": [
        key(key_name="mail-update.", key_secret=B64),
        key(key_name="mail-update.", key_secret=C),
        key(key_name="mail-update.", key_secert=B64),
        key(key_name=f"hmac-sha256:mail-update:{B64}"),
        key(key_name=B64, key_secret=C),
        key(key_file=f'key "mail-update" {{ algorithm hmac-sha256; secret "{B64}"; }};'),
        key(key_name="mail-update.", key_secret=B64, key_algorithm=B64),
        {**key(), "server": f"mail-update:{W}@127.0.0.1"},
        {**key(), "server": f"tsig://{W}@127.0.0.1"},
        key(key_name=f"k {W}", key_secret=B64),
        key(key_name="k", key_secret=B64, key_algorithm=f"hmac-sha256:{W}"),
    ],
    "mx_info": [
        {"names": ["example.com"], "resolver": ["127.0.0.1"], "resolver_port": 9, "timeout": 1},
        {"names": ["example.com"], "resolver": [f"u:{W}@127.0.0.1"]},
        {"names": ["example.com"], "key_secret": C},
        {"names": ["example.com"], "resolver": [f"127.0.0.1 {W}"]},
    ],
    "postfix_map": [
        {"path": "{{ folder }}/sasl_passwd", "secret_entries": {"[h.example.net]:25": f"u:{C}"}},
        {"path": "{{ folder }}/sasl_two", "secret_entries": [{"key": "[h.example.net]:25", "value": f"u:{C}"}]},
        {"path": "{{ folder }}/sasl_three", "secret": True, "entries": {"[h.example.net]:25": f"u:{W}"}},
        {"path": "{{ folder }}/sasl_four", "secret": True, "content": f"[h.example.net]:25 u:{W}\n"},
        {"path": "{{ folder }}/sasl_five", "secret_entires": {"[h.example.net]:25": f"u:{C}"}},
        {"path": "{{ folder }}/sasl_six", "secret_entries": f"[h.example.net]:25 u:{C}"},
        {"path": "{{ folder }}/sasl_seven", "secret_entries": {"[h.example.net]:25": f"u:{C}\n"}, "mode": "1777"},
        {"path": "{{ folder }}/sasl_passwd", "secret_entries": {"[h.example.net]:25": f"u:x{C}"}},
        {"path": "{{ folder }}/sasl_passwd", "entries": {"[h.example.org]:25": "u"}},
        {"path": "{{ folder }}/sasl_eight", "secret": True, "content": f"[h.example.net]:25\n\tu:{W}\n"},
        {"path": "{{ folder }}/sasl_nine", "mode": "0600", "entries": {"[h.example.net]:25": f"u:{W}"}},
        {"path": "{{ folder }}/sasl_nine", "entries": {"[h.example.net]:25": f"u:x{W}"}},
        {"path": "{{ folder }}/sasl_ten", "secrets": True, "entries": {"[h.example.net]:25": f"u:{W}"}},
        {"path": "{{ folder }}/sasl_ten", "secret": "ja", "content": f"[h.example.net]:25 u:{W}\n"},
        {"path": "{{ folder }}/sasl_ten", "secret": True, "entries": {f"u:{W}": "[h.example.net]:25"}},
        {"path": "{{ folder }}/sasl_ten", "secret": True, "entries": [{"key": f"h u:{W}", "value": "x"}]},
    ],
    "postfix_parameters": [
        {"parameters": {"smtp_sasl_password_maps": "lmdb:/etc/postfix/sasl_passwd"}},
        {"parameters": {"smtp_sasl_password_maps": f"static:u:{W}"}},
        {"parameters": {"smtp_sasl_password_maps": f"inline:{{ {{[h]:587 = u:{W}}} }}"}},
        {"elements": [{"name": "smtp_sasl_password_maps", "elements": [f"static:u:{W}"]}]},
        {"parameters": {"relayhost": {"host": "h", "password": C}}},
        {"parameters": {"relayhost": f"smtp://u:{W}@h"}, "allow_unknown": True, "passwrod": C},
        {"parameters": {"smtp_sasl_password_maps": {"value": f"static:{{u:{W}}}"}}},
        {"parameters": [{"name": "smtp_sasl_password_maps", "value": f"static:u:{W}"}]},
    ],
    "route_info": [
        {"addresses": ["bob@example.com"]},
        {"addresses": ["bob@example.com"], "password": C},
        {"addresses": [f"smtp://u:{W}@example.com"]},
    ],
}
SITES = [{"name": "hq", "role": "master", "hosts": ["localhost"], "clients": ["192.0.2.8"], "unknown": "cloud"}]
RIGHT = {**NOWHERE, **LOGIN, "password": C}


def mapped(found: Any, **more: Any) -> list[dict[str, Any]]:
    """Give a split map with a relay of the other site."""
    cloud = {"name": "cloud", "clients": ["192.0.2.9"], "unknown": "hq", "relay": found}
    rows = [{"address": "bob@example.com", "site": "cloud"}, {"address": "al@example.com", "site": "hq"}]
    return [{"domain": "example.com", "directory": rows, "sites": [*SITES, {**cloud, **more}]}]


WRONG_MAPS: list[Any] = [
    mapped({**RIGHT, "passwrod": C}),
    mapped({**RIGHT, "password": "x", "kennwort": C}),
    mapped({**RIGHT, "username": f"u:{C}"}),
    mapped({**RIGHT, "password": [C]}),
    mapped({**RIGHT, "password": f"{C}\n"}),
    mapped({**RIGHT, "password": {"vault": C}}),
    mapped({**RIGHT, "tls": "may"}),
    mapped({**RIGHT, "port": "x"}),
    mapped(f"smtp://u:{W}@mx.example.net"),
    mapped({"host": f"u:{W}@mx.example.net"}),
    mapped([RIGHT, f"smtp://u:{W}@mx.example.net"]),
    mapped([[RIGHT]]),
    mapped(RIGHT, password=C),
    mapped(RIGHT, clients=[f"u:{W}@192.0.2.9"]),
    mapped(RIGHT, name={"password": C}),
    mapped(RIGHT, verification_address=f"u:{W}@example.com"),
    mapped(RIGHT, local_transport={"password": C}),
    *(mapped({**RIGHT, "username": name}) for name in (f"u\n{W}", f"u\t{W}", f"u {C}\n", ["u", C], {"u": C})),
    *(mapped({**RIGHT, "port": port}) for port in (f"587:{W}", W)),
    *(mapped({**RIGHT, "tls": tls}) for tls in (f"verify:{W}", W)),
    *(mapped({**RIGHT, key: 1}) for key in (f"u:{W}", W)),
    *(mapped(found) for found in (f"r.example.net u {W}", f"r.example.net:{W}", {"host": f"r u {W}"}, ["r", 587, W])),
    mapped({**NOWHERE, "tls": "fingerprint", "fingerprints": [W]}),
    mapped(RIGHT, unknown=f"u:{W}"),
    mapped(RIGHT, role=W),
    mapped(RIGHT, directory=f"u:{W}"),
    mapped(RIGHT, clients=[f"1.2.3.4 {W}"]),
    mapped(RIGHT, clients=[f"1.2.3.4/24 {W}"]),
    mapped(RIGHT, name=f"cloud:{W}"),
    [{"domain": "example.com", "sites": f"u:{W}"}],
    [{**mapped(RIGHT)[0], "state": W}],
    [f"u:{W}"],
    f"u:{W}",
    [{**mapped(RIGHT)[0], "password": C}],
    [{**mapped(RIGHT)[0], "directory": [{"mail": "bob@example.com", "kennwort": C}]}],
    [{**mapped(RIGHT)[0], "mx": [{"exchange": f"u:{W}@mx.example.net", "preference": 10}]}],
    [{**mapped(RIGHT)[0], "state": {"password": C}}],
    mapped(RIGHT)[0],
    {"password": C},
    f"smtp://u:{W}@mx.example.net",
]
HOST = "'localhost'"
# What stands behind the name of a filter of the split map; the others take what modules have returned.
FILTERS_OF_MAPS = {
    "exchange_probes": "({'record_sets': [], 'exchanges': []})",
    "foreign_subdomains": "(true)",
    "left_out_servers": f"({HOST}, [])",
    "mx_record_sets": "('all')",
    "server_passwords": f"({HOST})",
    "server_plan": f"({HOST})",
    "server_probes": f"({HOST})",
    "server_roles": f"({HOST})",
    "subdomain_probes": "([])",
}
RETURNED = [{"name": "x", "password": C, "item": {"host": f"u:{W}@h", "subdomain": "s.example.com"}}]
OTHER_FILTERS = {
    "exchange_objections": "([])",
    "subdomain_objections": "",
    "subdomains_first": "",
}
ROLE_VARIABLES = {"server_packages": [], "server_login_packages": [], "verify_timeout": 2, "mx_check_exchanges": False}
DNS = {"server": "127.0.0.1", "port": 9, "timeout": 1, "key_name": "mail-update."}
ROLE_CASES: dict[str, list[dict[str, Any]]] = {
    "verify": [{"split_domains": mapped(RIGHT)}, {"split_domains": WRONG_MAPS[0]}],
    "server": [{"split_domains": WRONG_MAPS[2]}],
    "master": [{"split_domains": WRONG_MAPS[1]}],
    "slave": [{"split_domains": f"u:{W}@h"}],
    "mx": [
        {"split_domains": mapped(RIGHT), "split_domain_dns": {**DNS, "key_secret": B64}},
        {"split_domains": mapped(RIGHT), "split_domain_dns": {**DNS, "key_secert": C}},
        {"split_domains": mapped(RIGHT), "split_domain_dns": f"u:{W}@h"},
        {"split_domains": WRONG_MAPS[0], "split_domain_dns": {**DNS, "key_secret": C}},
    ],
}
ACTIONS = ["recipient_routes"]
