# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests with somebody in the middle: under each policy the relay that proves itself gets the password, and no other.

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from authority import issue
from dane_sites import SENDING
from impostor import Impostor
from playbook_run import run_tasks
from signed_names import signed_names
from split_network import Network
from split_server import SplitServer, configured_server

NAME, SECRET = "mx.cloud.example.net", "CANARY-of-a-password"
AUTHORITY = issue("authority", is_authority=True)
NAMES = (NAME, "right.signed", "authority.signed")
RIGHT = issue(*NAMES, by=AUTHORITY)
WRONG = {
    "signed by itself": issue(*NAMES),
    "expired": issue(*NAMES, by=AUTHORITY, days=(-3, -1)),
    "for another host": issue("evil.example.net", by=AUTHORITY),
}
HOSTS = ("right.signed", "authority.signed", "bare.signed", "right.plain")
PINNED = ("fingerprint", "fingerprint of the key", "dane-only", "dane-only by an authority")


@dataclass(frozen=True)
class Road:
    """The server that asks, whoever answers at the address of its relay, and the host names of that address."""

    server: SplitServer
    answering: dict[str, Impostor]

    def relay(self, policy: str, who: str) -> dict[str, Any]:
        """Give the relay with a policy that means the right one, at the port where ``who`` answers."""
        place = {"host": self.server.network.hq, "port": self.answering[who].port, "username": "u"}
        return {
            "encrypt": {**place, "tls": "encrypt"},
            "verify": {**place, "tls": "verify", "tls_names": [NAME]},
            "fingerprint": {**place, "tls": "fingerprint", "fingerprints": [RIGHT.fingerprint]},
            "fingerprint of the key": {**place, "tls": "fingerprint", "fingerprints": [RIGHT.key_fingerprint]},
            "dane-only": {**place, "tls": "dane-only", "host": "right.signed"},
            "dane-only by an authority": {**place, "tls": "dane-only", "host": "authority.signed"},
            "dane-only unsigned": {**place, "tls": "dane-only", "host": "right.plain"},
            "dane-only without records": {**place, "tls": "dane-only", "host": "bare.signed"},
        }[policy]

    def split(self, policy: str, who: str, check: bool) -> tuple[list[str], list[str], str]:
        """Run split_domains; return what whoever answers knows of passwords, the warnings, and the verdict."""
        relay = self.relay(policy, who)
        peer = {"site": "hq", "relay": relay, "verification_address": "v@example.com", "clients": ["192.0.2.9"]}
        passwords = [{"host": relay["host"], "port": relay["port"], "password": SECRET}]
        domain = {"domain": "example.com", "unknown": "hq", "peers": [peer]}
        result = self.server.split(domain, check=check, passwords=passwords)
        assert SECRET not in json.dumps(result)
        warnings = [str(one["event"]["msg"] if isinstance(one, dict) else one) for one in result.get("warnings", ())]
        return self.taken(who), warnings, result["domains"][0]["verdict"]

    def probe(self, policy: str, who: str, **more: Any) -> tuple[list[str], dict[str, Any]]:
        """Run smtp_probe with the arguments of a relay; return what whoever answers knows, and the result."""
        relay = {name: value for name, value in {**self.relay(policy, who), **more}.items() if value is not None}
        given = [{"host": relay["host"], "port": relay["port"], "password": SECRET}]
        asked = {"recipients": ["ann@example.com"], "passwords": given, "authorities": "mail_server", "helo": "x.test"}
        result = self.server.run("smtp_probe", **{**asked, **relay})
        assert SECRET not in json.dumps(result)
        return self.taken(who), result

    def taken(self, who: str) -> list[str]:
        """Return, and forget, what whoever answers has heard of passwords."""
        logins = list(self.answering[who].logins)
        self.answering[who].heard.clear()
        return logins


@pytest.fixture(scope="module")
def road(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    folder = tmp_path_factory.mktemp("certificates")
    with ExitStack() as stack:
        answering, records = {}, [f"{host}. A {network.hq}" for host in HOSTS]
        for who, issued in {"right": RIGHT, **WRONG}.items():
            answering[who] = Impostor(*issued.write(folder), network.hq)
            stack.callback(answering[who].close)
            place = f"_{answering[who].port}._tcp"
            records += [f"{place}.right.{zone}. TLSA {RIGHT.tlsa(3, 1, 1)}" for zone in ("signed", "plain")]
            records.append(f"{place}.authority.signed. TLSA {AUTHORITY.tlsa(2, 0, 1)}")
        names = stack.enter_context(signed_names(network, records, {}))
        known, _key = AUTHORITY.write(folder)
        main_cf = f"{SENDING}\nsmtp_tls_CAfile = {known}\n"
        server = stack.enter_context(configured_server(names.network, "cloud", main_cf))
        yield Road(server, answering)


@pytest.mark.parametrize("check", [True, False], ids=["check mode", "run"])
@pytest.mark.parametrize("policy", ["verify", *PINNED])
@pytest.mark.parametrize("who", WRONG)
def test_the_questions_of_a_run_tell_no_password_to_somebody_in_the_middle(
    road: Road, policy: str, who: str, check: bool
) -> None:
    taken, warnings, verdict = road.split(policy, who, check)
    assert taken == []
    assert verdict == "not_asked"
    (warning,) = (text for text in warnings if "the site hq of example.com" in text)
    assert "has a certificate" in warning and "nothing was asked there and no password sent" in warning
    assert "unknown recipients of example.com get 450 here" in warning


@pytest.mark.parametrize("policy", ["verify", *PINNED])
def test_the_questions_of_a_run_log_in_at_the_relay_that_has_proven_itself(road: Road, policy: str) -> None:
    taken, warnings, verdict = road.split(policy, "right", False)
    assert len(taken) == 1 and taken[0].startswith("AUTH PLAIN ")
    # It takes everybody, as somebody in the middle would.
    assert verdict == "accepts_everything"
    assert not [text for text in warnings if "password" in text]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ("dane-only unsigned", "the address of the host is in no signed zone"),
        ("dane-only without records", "there are no TLSA records of"),
    ],
)
def test_where_nothing_proves_who_answers_nobody_logs_in_and_the_run_says_so(road: Road, policy: str, why: str) -> None:
    taken, warnings, verdict = road.split(policy, "right", False)
    assert (taken, verdict) == ([], "not_asked")
    (warning,) = (text for text in warnings if "the site hq of example.com" in text)
    assert "nothing proves who right.plain" in warning or "nothing proves who bare.signed" in warning
    assert why in warning
    taken, result = road.probe(policy, "right")
    assert taken == [] and why in result["msg"]


def test_encrypt_gives_the_password_to_whoever_answers_and_the_run_warns_of_it(road: Road) -> None:
    taken, warnings, _verdict = road.split("encrypt", "signed by itself", False)
    assert len(taken) == 1
    (warning,) = (text for text in warnings if "its password goes to whoever answers there" in text)
    assert "set tls to verify, fingerprint or dane-only" in warning


@pytest.mark.parametrize("policy", ["verify", *PINNED])
@pytest.mark.parametrize("who", ["right", *WRONG])
def test_a_probe_logs_in_at_the_right_server_alone(road: Road, policy: str, who: str) -> None:
    taken, result = road.probe(policy, who)
    is_right = who == "right"
    assert bool(taken) == is_right
    assert bool(result.get("failed")) != is_right
    assert is_right or "no password sent" in result["msg"]


def test_a_probe_with_a_password_validates_unless_told_otherwise(road: Road) -> None:
    bare = {"tls_names": None, "fingerprints": None}
    names = {**bare, "host": "right.signed"}
    for more, is_let_in in (
        ({**names, "tls": None}, False),
        ({**names, "tls": "encrypt"}, False),
        ({**names, "tls": "encrypt", "validate_certs": True}, False),
        ({**names, "tls": "encrypt", "validate_certs": False}, True),
    ):
        taken, result = road.probe("verify", "signed by itself", **more)
        assert bool(taken) == is_let_in, more
        warned = [text for text in result.get("warnings", ()) if "goes to whoever answers there" in str(text)]
        assert bool(warned) == is_let_in
        taken, result = road.probe("verify", "right", **more)
        assert taken and not result.get("failed")
    # Certificates that this host trusts: none of the tests' is among them.
    assert road.probe("verify", "right", **names, tls=None, authorities="system")[0] == []


def test_the_role_verify_tells_no_password_to_somebody_in_the_middle(road: Road, tmp_path: Path) -> None:
    def verify(policy: str, who: str) -> dict[str, Any]:
        relay = {**road.relay(policy, who), "password": SECRET}
        sites = [
            {"name": "hq", "role": "master", "hosts": ["localhost"], "clients": ["192.0.2.8"], "unknown": "cloud"},
            {"name": "cloud", "unknown": "hq", "clients": ["192.0.2.9"], "relay": relay},
        ]
        rows = [{"address": "bob@example.com", "site": "cloud"}, {"address": "al@example.com", "site": "hq"}]
        split_map = [{"domain": "example.com", "directory": rows, "sites": sites}]
        role = {"name": "mailops.split_domain.verify", "apply": {"ignore_errors": True}}
        return {"ansible.builtin.include_role": role, "vars": {"split_domains": split_map, "verify_search": ["/"]}}

    policies = ("verify", "fingerprint", "fingerprint of the key")
    run_tasks(tmp_path, [verify(policy, who) for policy, who in zip(policies, WRONG)])
    assert [road.taken(who) for who in WRONG] == [[], [], []]
    # Whom this machine's own Postfix believes with "verify" is not the tests' to say.
    run_tasks(tmp_path, [verify(policy, "right") for policy in policies[1:]])
    assert len(road.taken("right")) == len(policies[1:])
