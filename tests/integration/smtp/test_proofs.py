# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of who gets a password: whoever proves to be the server that its policy means, as Postfix and OpenSSL judge it.

from __future__ import annotations

import base64
import itertools
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from authority import Issued, issue
from impostor import Impostor, impostor
from smtp_wire_server import WireServer

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import read_tlsa, usable
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import PROVEN, UNUSABLE, Proof
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import OF_THE_SYSTEM, Authorities
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import ProbeFailed, Server
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.probe import probe

HOST, SECRET = "mx.cloud.example.net", "CANARY of a password"
AUTHORITY = issue("authority", is_authority=True, common_name="the right authority")
STRANGER = issue("stranger", is_authority=True, common_name="the right authority")
BETWEEN = issue("between", by=AUTHORITY, is_authority=True)
CERTIFICATES = {
    "right": issue(HOST, by=AUTHORITY),
    "right, one step further down": issue(HOST, by=BETWEEN),
    "right, with a key of RSA": issue(HOST, by=AUTHORITY, kind="rsa"),
    "right, with a key of Ed25519": issue(HOST, by=AUTHORITY, kind="ed25519"),
    "in capitals": issue(HOST.upper(), by=AUTHORITY),
    "for one of two names": issue("other.example.net", HOST, by=AUTHORITY),
    "for a wildcard": issue("*.cloud.example.net", by=AUTHORITY),
    "by its common name": issue(by=AUTHORITY, common_name=HOST),
    "with the name where another counts": issue("other.example.net", by=AUTHORITY, common_name=HOST),
    "for a wildcard further up": issue("*.example.net", by=AUTHORITY),
    "for a part of a label": issue("m*.cloud.example.net", by=AUTHORITY),
    "for another host": issue("evil.example.net", by=AUTHORITY),
    "for the parent": issue("cloud.example.net", by=AUTHORITY),
    "expired": issue(HOST, by=AUTHORITY, days=(-3, -1)),
    "not valid yet": issue(HOST, by=AUTHORITY, days=(1, 3)),
    "signed by itself": issue(HOST),
    "of another authority": issue(HOST, by=STRANGER),
}
LETTING_IN = [*CERTIFICATES][:8]
OTHER = "ab" * 32


@dataclass(frozen=True)
class Middle:
    """A server with one of the certificates, and the files of authorities."""

    server: Impostor
    issued: Issued

    def ask(self, **more: Any) -> str:
        """Log in there with a policy; return nothing, or why not."""
        asked = Server("127.0.0.1", self.server.port, helo="x.example.org", username="u", password=SECRET, timeout=5)
        try:
            probe(replace(asked, **{"host": HOST, "addresses": ("127.0.0.1",), **more}), ["ann@example.com"])
        except ProbeFailed as failed:
            # Whoever is not proven hears nothing at all, not even a name.
            assert self.server.heard == []
            assert SECRET not in str(failed)
            return str(failed)
        login = base64.b64encode(f"\0u\0{SECRET}".encode()).decode()
        assert self.server.logins == [f"AUTH PLAIN {login}"]
        return ""


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    chain, _key = AUTHORITY.write(tmp_path_factory.mktemp("authority"))
    return Authorities(str(chain), and_of_the_system=False, servername="")


@pytest.fixture(params=CERTIFICATES)
def middle(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Middle]:
    with started(CERTIFICATES[request.param], tmp_path) as server:
        yield Middle(server, CERTIFICATES[request.param])


def started(issued: Issued, folder: Path) -> Any:
    return impostor(*issued.write(folder))


def postfix_says(server: Impostor, *arguments: str) -> bool:
    """Return whether Postfix's own TLS client takes the server for verified."""
    said = subprocess.run(
        [
            "posttls-finger",
            "-c",
            "-h",
            "native",
            "-Lsummary",
            *arguments[:-1],
            f"[127.0.0.1]:{server.port}",
            arguments[-1],
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    text = said.stdout + said.stderr
    assert "TLS connection established" in text, text
    server.heard.clear()
    return "Verified TLS connection established" in text


@pytest.mark.parametrize("name", CERTIFICATES)
def test_verify_lets_in_whom_postfix_lets_in(authorities: Authorities, tmp_path: Path, name: str) -> None:
    with started(CERTIFICATES[name], tmp_path) as server:
        is_verified = postfix_says(server, "-l", "verify", "-F", str(authorities.file), HOST)
        refusal = Middle(server, CERTIFICATES[name]).ask(tls="verify", authorities=authorities)
    assert (refusal == "") == is_verified == (name in LETTING_IN)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("expired", "(certificate has expired), so that nothing was asked there and no password sent"),
        ("not valid yet", "(certificate is not yet valid)"),
        ("signed by itself", "(self-signed certificate)"),
        ("for another host", "has a certificate for evil.example.net, and tls verify wants one for " + HOST),
        ("of another authority", "has a certificate that tls verify does not take (certificate signature failure)"),
    ],
)
def test_a_refusal_says_what_is_wrong_with_the_certificate(
    authorities: Authorities, tmp_path: Path, name: str, why: str
) -> None:
    with started(CERTIFICATES[name], tmp_path) as server:
        assert why in Middle(server, CERTIFICATES[name]).ask(tls="verify", authorities=authorities)


def test_names_that_are_given_take_the_place_of_the_host(authorities: Authorities, tmp_path: Path) -> None:
    right = CERTIFICATES["right"]
    names = {"tls": "verify", "authorities": authorities, "host": "10.9.8.7"}
    with started(right, tmp_path) as server:
        assert Middle(server, right).ask(**names, tls_match=("a.example.net", HOST)) == ""
    with started(right, tmp_path) as server:
        assert "wants one for a.example.net or b.example.net" in Middle(server, right).ask(
            **names, tls_match=("a.example.net", "b.example.net")
        )


@pytest.mark.parametrize(
    "nobody", [Authorities(and_of_the_system=False), OF_THE_SYSTEM, Authorities("/dev/null", None, False)]
)
def test_nobody_is_verified_by_authorities_that_do_not_know_them(tmp_path: Path, nobody: Authorities) -> None:
    with started(CERTIFICATES["right"], tmp_path) as server:
        assert Middle(server, CERTIFICATES["right"]).ask(tls="verify", authorities=nobody)


def test_authorities_are_read_from_a_file_a_folder_or_as_anchors(authorities: Authorities, tmp_path: Path) -> None:
    shutil.copy(str(authorities.file), tmp_path / "one.pem")
    subprocess.run(["openssl", "rehash", tmp_path], check=True)
    between, _key = BETWEEN.write(tmp_path)
    alone = tmp_path / "between"
    alone.write_text(between.read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    issued = CERTIFICATES["right, one step further down"]
    for known, is_let_in in (
        (Authorities(None, str(tmp_path), False), True),
        (Authorities(None, None, False, (str(alone),)), True),
        (replace(authorities, anchors=(str(alone),)), True),
        (Authorities(str(alone), None, False), False),
        # Anchors are believed in place of all others, and not beside them.
        (replace(authorities, anchors=("/dev/null",)), False),
        (replace(authorities, anchors=(str(tmp_path / "none"),)), False),
    ):
        with started(issued, tmp_path) as server:
            assert (Middle(server, issued).ask(tls="verify", authorities=known) == "") == is_let_in


def test_a_fingerprint_lets_in_just_its_certificate_or_key_as_postfix_does(middle: Middle) -> None:
    certificate, key = middle.issued.fingerprint.upper(), middle.issued.key_fingerprint.upper()
    for given, is_let_in in ((certificate, True), (key, True), (OTHER.upper(), False)):
        colons = ":".join(given[start : start + 2] for start in range(0, 64, 2))
        assert postfix_says(middle.server, "-l", "fingerprint", "-d", "sha256", colons) == is_let_in
        refusal = middle.ask(tls="fingerprint", tls_match=(colons,))
        middle.server.heard.clear()
        assert (refusal == "") == is_let_in
        assert ("somebody else may answer there" in refusal) != is_let_in


def proof_of(*records: str) -> Proof:
    words = [record.split() for record in records]
    found = usable(filter(None, (read_tlsa(bytes(map(int, one[:3])) + bytes.fromhex(one[3])) for one in words)))
    return Proof(PROVEN if found else UNUSABLE, "127.0.0.1", records=found, names=(HOST,))


def openssl_says(server: Impostor, *records: str) -> bool:
    """Return whether OpenSSL, by which Postfix does DANE, takes the server for verified."""
    options = [word for record in records for word in ("-dane_tlsa_rrdata", record)]
    said = subprocess.run(
        [
            *("openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{server.port}", "-brief"),
            *("-verify_return_error", "-dane_ee_no_namechecks", "-dane_tlsa_domain", HOST, *options),
        ],
        input="QUIT\n",
        check=False,
        capture_output=True,
        text=True,
    )
    server.heard.clear()
    server.names.clear()
    return "Verification: OK" in said.stdout + said.stderr


CHAINS = ["right", "right, one step further down", "right, with a key of RSA", "for another host", "expired"]
CHAINS += ["signed by itself", "of another authority"]
# OpenSSL takes a key (2 1 0) for that of an authority that is not sent; here the authority has to be.
FORMS = [form for form in itertools.product((2, 3), (0, 1), (0, 1)) if form != (2, 1, 0)] + [(2, 0, 2), (3, 1, 2)]


@pytest.mark.parametrize("name", CHAINS)
def test_records_let_in_whom_openssl_lets_in_by_them(tmp_path: Path, name: str) -> None:
    issued = CERTIFICATES[name]
    with started(issued, tmp_path) as server:
        for form, meant in itertools.product(FORMS, (issued, AUTHORITY)):
            record = meant.tlsa(*form)
            is_verified = openssl_says(server, record)
            refusal = Middle(server, issued).ask(tls="dane-only", proof=proof_of(record))
            assert (refusal == "") == is_verified, (record, refusal)
            assert server.names == [HOST] * len(server.names)
            server.heard.clear()
        for form in FORMS:
            record = CERTIFICATES["for the parent"].tlsa(*form)
            assert Middle(server, issued).ask(tls="dane-only", proof=proof_of(record))


def test_of_two_digests_of_one_thing_the_stronger_counts_as_for_openssl(tmp_path: Path) -> None:
    right, other = CERTIFICATES["right"], CERTIFICATES["signed by itself"]
    for records in (
        [right.tlsa(3, 1, 1), other.tlsa(3, 1, 2)],
        [other.tlsa(3, 1, 1), right.tlsa(3, 1, 2)],
        [right.tlsa(3, 1, 1), other.tlsa(3, 0, 2)],
        [right.tlsa(3, 0, 0), other.tlsa(3, 0, 2)],
        [other.tlsa(3, 1, 1), right.tlsa(3, 1, 1)],
    ):
        with started(right, tmp_path) as server:
            is_verified = openssl_says(server, *records)
            assert (Middle(server, right).ask(tls="dane-only", proof=proof_of(*records)) == "") == is_verified


@pytest.mark.parametrize("policy", ["verify", "fingerprint", "dane-only", "dane", "encrypt"])
def test_a_server_that_offers_no_tls_hears_no_password(policy: str) -> None:
    server = WireServer(replies={"EHLO": b"250-wire\r\n250 AUTH PLAIN\r\n"})
    asked = Server("127.0.0.1", server.port, tls=policy, username="u", password=SECRET, timeout=2)
    try:
        with pytest.raises(ProbeFailed, match="does not offer STARTTLS"):
            probe(replace(asked, proof=proof_of(CERTIFICATES["right"].tlsa(3, 1, 1))), ["ann@example.com"])
        assert [line.split()[0] for line in itertools.chain(*server.connections)] == ["EHLO"]
    finally:
        server.close()


def test_a_server_that_repeats_a_password_does_not_bring_it_out(tmp_path: Path) -> None:
    right = CERTIFICATES["right"]
    with started(right, tmp_path) as server:
        server.echoes = True
        asked = Server(HOST, server.port, addresses=("127.0.0.1",), tls="fingerprint", username="u", password=SECRET)
        with pytest.raises(ProbeFailed) as failed:
            probe(
                replace(asked, tls_match=(":".join(right.fingerprint.upper()[at : at + 2] for at in range(0, 64, 2)),)),
                ["a@example.com"],
            )
    said = f"{failed.value} {failed.value.details()}"
    assert "refuses the login of u: it said 535" in said and "********" in said
    assert SECRET not in said and base64.b64encode(SECRET.encode()).decode()[4:-4] not in said


@pytest.mark.parametrize(
    ("servername", "sent"), [("", None), ("hostname", HOST), ("sni.example.net", "sni.example.net")]
)
def test_the_name_that_is_asked_for_is_the_one_that_postfix_sends(
    authorities: Authorities, tmp_path: Path, servername: str, sent: str | None
) -> None:
    right = CERTIFICATES["right"]
    with started(right, tmp_path) as server:
        assert Middle(server, right).ask(tls="verify", authorities=replace(authorities, servername=servername)) == ""
        assert server.names == [sent]
