# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the road between two sites: TLS policies that let the right server in alone, and logins that stay secret.

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from certificates import Certificate, make_certificate
from forked_module import run_module
from login_server import login_server
from sent_mail import DISCARDED, delivered, send, wait_until
from split_network import Network
from split_server import SplitServer, configured_server

# What anybody may read in the list of processes, and root may.
RECORDER = """\
#!/bin/sh
{{ echo {command} "$@"; env; }} >> {seen}
exec {command} "$@"
"""
USER, PASSWORD = "hq@example.com", "a secret: with $ {signs} and #"
NUMBERS = count()
TLS = """
smtpd_tls_cert_file = {certificate.file}
smtpd_tls_key_file = {certificate.key}
smtpd_tls_security_level = may
smtpd_tls_loglevel = 1
"""
LOGIN = """
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {socket}
smtpd_tls_auth_only = yes
smtpd_client_restrictions = permit_sasl_authenticated, reject
"""


@dataclass(frozen=True)
class Road:
    """The server that sends, the one that takes its mail, and that one's certificate."""

    hq: SplitServer
    cloud: SplitServer
    certificate: Certificate

    def relay(self, **more: Any) -> dict[str, Any]:
        """Give the relay of the site cloud."""
        return {"host": self.cloud.address, "port": self.cloud.port, **more}

    def domain(self, **more: Any) -> dict[str, Any]:
        """Give the domain on hq with a relay of these properties."""
        peer = {"site": "cloud", "relay": self.relay(**more)}
        return {"domain": "example.com", "unknown": "cloud", "peers": [peer]}

    def answer(self) -> str:
        """Return what hq says of a user whom only cloud knows, and nobody has asked for."""
        # An extension that hq has never asked for; its user is known there.
        return str(self.hq.ask(f"cyd+{next(NUMBERS)}@example.com"))


@pytest.fixture(scope="module")
def road(network: Network) -> Iterator[Road]:
    with ExitStack() as servers:
        hq = servers.enter_context(configured_server(network, "hq"))
        cloud = servers.enter_context(configured_server(network, "cloud"))
        certificate = make_certificate(cloud.directory, "mx.cloud.test", "other.cloud.test")
        cloud.main_cf.write_text(cloud.main_cf.read_text() + TLS.format(certificate=certificate))
        known = [{"address": f"{name}@example.com", "to": "local"} for name in ("bob", "cyd")]
        cloud.routes("example.com", routes=known, local_transport=DISCARDED)
        cloud.split({"domain": "example.com", "peers": [{"site": "hq", "relay": {"host": hq.address}}]})
        hq.start()
        cloud.start()
        yield Road(hq, cloud, certificate)


@pytest.fixture
def trusting(road: Road) -> Iterator[Road]:
    """The road with the authority of cloud's certificate among those that hq knows."""
    road.hq.split(purge=True)
    before = road.hq.main_cf.read_text()
    road.hq.main_cf.write_text(before + f"\nsmtp_tls_CAfile = {road.certificate.file}\n")
    yield road
    road.hq.split(purge=True)
    road.hq.main_cf.write_text(before)


@pytest.mark.parametrize("policy", ["none", "may", "encrypt"])
def test_mail_of_every_common_policy_arrives_encrypted_or_not(road: Road, policy: str) -> None:
    road.hq.split(road.domain(tls=policy))
    assert road.answer().startswith("250")
    # hq's own level is none, which "may" leaves to it.
    logged = road.cloud.logged("TLS connection established from")
    assert (logged > 0) == (policy == "encrypt")


def test_fingerprints_let_just_their_certificate_in(road: Road) -> None:
    other = "ab" * 32
    road.hq.split(road.domain(tls="fingerprint", fingerprints=[other, road.certificate.fingerprint]))
    assert road.answer().startswith("250")
    road.hq.split(road.domain(tls="fingerprint", fingerprints=[other]))
    assert road.answer().startswith("450")


def test_names_let_in_whoever_has_one_of_them_from_a_known_authority(trusting: Road) -> None:
    road = trusting
    road.hq.split(road.domain(tls="verify", tls_names=["mx.other.test", "Other.Cloud.test."]))
    assert road.answer().startswith("250")
    road.hq.split(road.domain(tls="verify", tls_names=["mx.other.test"]))
    assert road.answer().startswith("450")


def test_nobody_can_be_verified_without_an_authority_and_the_run_says_so(road: Road) -> None:
    result = road.hq.split(road.domain(tls="verify", tls_names=["mx.cloud.test"]))
    (warning,) = (str(text) for text in result["warnings"] if "verify" in str(text))
    assert "this server knows no certificate authority" in warning
    assert road.answer().startswith("450")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"host": "mx.example.net", "tls": "dane"}, "looks for no signed records with smtp_host_lookup = native"),
        ({"tls": "dane-only"}, "give the host's name"),
        ({"tls": "verify"}, "or the names in its certificate in tls_names"),
        ({"tls": "fingerprint"}, "tls fingerprint and a list of fingerprints go together"),
        ({"tls": "encrypt", "fingerprints": ["ab" * 32]}, "go together"),
        ({"tls": "fingerprint", "fingerprints": ["ab" * 20]}, "write the SHA-256 of its certificate"),
        ({"tls": "verify", "tls_names": ["nexthop"]}, "write the full name that its certificate has"),
        ({"tls": "encrypt", "tls_names": ["mx.example.net"]}, "names are matched with tls verify alone"),
        ({"tls": "may", "username": USER}, "so that its password could be sent in clear: set tls to one of encrypt,"),
        ({"tls": "dane", "host": "mx.example.net", "username": USER}, "could be sent in clear"),
        ({"tls": "encrypt", "username": "a:b"}, "without colons"),
        ({"tls": "encrypt", "username": USER}, "and no password, here or on the server"),
    ],
)
def test_a_policy_that_cannot_be_kept_is_refused(road: Road, more: dict[str, Any], message: str) -> None:
    domain = road.domain(**more)
    domain["peers"][0]["clients"] = [road.cloud.address]
    if "host" in more:
        domain["peers"][0]["relay"]["host"] = more["host"]
    before = road.hq.files()
    result = road.hq.run("split_domains", domains=[domain])
    assert result["failed"]
    assert message in result["msg"]
    assert road.hq.files() == before


@pytest.fixture
def guarded(road: Road) -> Iterator[Road]:
    """The road to a server that takes nothing from anybody who has not logged in."""
    road.hq.split(purge=True)
    before = road.cloud.main_cf.read_text()
    socket = road.cloud.directory / "login"
    with login_server(socket, USER, PASSWORD):
        road.cloud.main_cf.write_text(before + LOGIN.format(socket=socket))
        road.cloud.restart()
        yield road
    road.cloud.main_cf.write_text(before)
    road.cloud.restart()
    road.hq.split(purge=True)


def passwords(road: Road, password: str = PASSWORD) -> list[dict[str, Any]]:
    return [{"host": road.cloud.address, "port": road.cloud.port, "password": password}]


def test_mail_and_questions_get_through_with_the_right_password_alone(guarded: Road) -> None:
    road = guarded
    domain = road.domain(tls="encrypt", username=USER)
    road.hq.routes("example.com", routes=[{"address": "bob@example.com", "to": [road.relay()]}])
    road.hq.split(domain, passwords=passwords(road, "wrong"))
    assert road.answer().startswith("450")
    road.hq.split(domain, passwords=passwords(road))
    assert road.answer().startswith("250")
    before = delivered(road.cloud, "bob@example.com")
    send(road.hq, "bob@example.com")
    wait_until(lambda: delivered(road.cloud, "bob@example.com") == before + 1, road.hq)
    assert f"sasl_username={USER}" in road.cloud.log()


def test_a_password_is_kept_where_only_root_reads_it_and_shown_nowhere(guarded: Road) -> None:
    road = guarded
    domain = road.domain(tls="encrypt", username=USER)
    results = [
        road.hq.split(domain, passwords=passwords(road), check=True),
        road.hq.split(domain, passwords=passwords(road)),
        road.hq.split(domain, passwords=passwords(road, "another one"), check=True),
        road.hq.split(domain, passwords=passwords(road, "another one")),
    ]
    assert [result["changed"] for result in results] == [True] * 4
    for result in results:
        said = json.dumps(result)
        assert "secret" not in said and "another one" not in said
    for path in road.hq.config.rglob("*"):
        if path.is_file() and (b"secret" in path.read_bytes() or b"another one" in path.read_bytes()):
            assert path.name in ("passwords", "passwords.lmdb")
            assert (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, 0)
    assert "another one" not in road.hq.log()


def test_no_command_gets_a_password_in_its_arguments_or_surroundings(
    guarded: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    road, seen = guarded, tmp_path / "seen"
    for command in ("postconf", "postfix", "postmap"):
        recorder = tmp_path / command
        recorder.write_text(RECORDER.format(seen=seen, command=shutil.which(command)))
        recorder.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    road.hq.split(road.domain(tls="encrypt", username=USER), passwords=passwords(road))
    said = seen.read_text()
    assert "postmap -c" in said and "PATH=" in said
    assert "secret" not in said


def test_a_password_that_is_not_given_again_stays(guarded: Road) -> None:
    road = guarded
    domain = road.domain(tls="encrypt", username=USER)
    road.hq.split(domain, passwords=passwords(road))
    again = road.hq.split(domain)
    assert not again["changed"]
    assert again["domains"][0]["after"]["peers"][0]["relay"]["username"] == USER
    assert road.answer().startswith("250")
    other = road.hq.run("split_domains", domains=[road.domain(tls="encrypt", username="somebody")])
    assert "has the username somebody and no password" in other["msg"]


def test_a_password_goes_with_its_user_and_main_cf_is_what_it_was(guarded: Road) -> None:
    road = guarded
    before = road.hq.main_cf.read_text()
    road.hq.split(road.domain(tls="encrypt", username=USER), passwords=passwords(road))
    assert (road.hq.ours / "passwords").exists()
    result = road.hq.split(road.domain(tls="encrypt"))
    assert result["changed"]
    assert not list(road.hq.ours.glob("passwords*"))
    assert "sasl" not in road.hq.main_cf.read_text().replace("permit_sasl_authenticated", "")
    assert not road.hq.split(road.domain(tls="encrypt"))["changed"]
    road.hq.split(purge=True)
    assert road.hq.main_cf.read_text() == before


def probe(road: Road, password: str, **more: Any) -> dict[str, Any]:
    """Ask cloud from hq for somebody whom it knows, and for somebody whom it does not."""
    asked = {"host": road.cloud.address, "port": road.cloud.port, "recipients": ["bob@example.com", "no@example.com"]}
    arguments = {**asked, "username": USER, "passwords": passwords(road, password)}
    arguments |= {"tls": "fingerprint", "fingerprints": [road.certificate.fingerprint]}
    arguments = {**arguments, **({"fingerprints": [], **more} if "tls" in more else more)}
    result: dict[str, Any] = road.hq.network.at("hq", run_module, "smtp_probe", arguments)
    assert password not in json.dumps(result)
    return result


def test_a_server_that_wants_a_login_can_be_asked_with_one(guarded: Road) -> None:
    assert [one["verdict"] for one in probe(guarded, PASSWORD)["recipients"]] == ["accepted", "refused"]
    refused = probe(guarded, "wrong word")
    assert f"refuses the login of {USER}: it said 535" in refused["msg"]
    assert "could be sent in clear" in probe(guarded, PASSWORD, tls="none")["msg"]
    assert "no password" in probe(guarded, PASSWORD, passwords=[])["msg"]


@pytest.mark.parametrize("policy", ["encrypt", "verify", "fingerprint"])
def test_a_site_that_wants_a_login_is_verified_with_it(guarded: Road, policy: str) -> None:
    more = {
        "verify": {"tls_names": ["mx.cloud.test"]},
        "fingerprint": {"fingerprints": [guarded.certificate.fingerprint]},
    }
    guarded.hq.define(f"smtp_tls_CAfile = {guarded.certificate.file}\n")
    domain = guarded.domain(tls=policy, username=USER, **more.get(policy, {}))
    domain["peers"][0]["verification_address"] = "bob@example.com"
    given = guarded.hq.split(domain, passwords=passwords(guarded))
    assert given["domains"][0]["verdict"] == "verified"
    again = guarded.hq.split(domain)
    assert (again["domains"][0]["verdict"], again["changed"]) == ("verified", False)
    assert guarded.answer().startswith("250")
