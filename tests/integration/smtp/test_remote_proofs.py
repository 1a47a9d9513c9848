# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that a login is warned of where the proof of the server came over a network, in which anybody can forge it.

from __future__ import annotations

import hashlib
import ssl
from pathlib import Path
from typing import Any

import pytest
from authority import issue
from impostor import impostor

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import Tlsa
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import PROVEN, Proof, dane_warnings
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import parse_relay
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import OF_THE_SYSTEM
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.probe import work

HOST, RESOLVER = "mx.cloud.example.net", "192.0.2.53"
ISSUED = issue(HOST)


def warnings(folder: Path, tls: str, remote: str, **more: Any) -> list[str]:
    """Ask a server that proves itself by DANE as smtp_probe does, and give what it warns of."""
    chain, key = ISSUED.write(folder)
    der = ssl.PEM_cert_to_DER_cert(Path(chain).read_text())
    record = Tlsa(3, 0, 1, hashlib.sha256(der).digest())
    with impostor(chain, key) as server:
        place = {"host": HOST, "port": server.port}
        params = {
            **place,
            "addresses": ["127.0.0.1"],
            "helo": "x.example.org",
            "timeout": 5,
            "sender": "<>",
            "recipients": ["ann@example.com"],
            "tls": tls,
            "passwords": [{**place, "password": "a password"}],
            **more,
        }
        proof = Proof(PROVEN, RESOLVER, records=(record,), names=(HOST,), remote=remote)
        return list(work(lambda _host, _port: proof, lambda _directory: OF_THE_SYSTEM, params, False).warnings)


def test_a_login_by_a_proof_from_another_host_is_warned_of(tmp_path: Path) -> None:
    (warning,) = warnings(tmp_path, "dane-only", RESOLVER, username="u")
    assert f"its proof comes from a resolver on another host ({RESOLVER})" in warning
    assert "can forge it and gets the password, so let a resolver" in warning
    assert HOST in warning


@pytest.mark.parametrize(
    ("tls", "remote", "more"),
    [("dane-only", "", {"username": "u"}), ("dane-only", RESOLVER, {}), ("dane", RESOLVER, {})],
)
def test_no_warning_comes_without_a_login_or_from_a_resolver_of_this_host(
    tmp_path: Path, tls: str, remote: str, more: dict[str, Any]
) -> None:
    assert warnings(tmp_path, tls, remote, **more) == []


def test_split_domains_tells_of_the_password_too() -> None:
    proof = Proof(PROVEN, RESOLVER, remote=RESOLVER)
    for more, gets in (({"username": "u"}, True), ({}, False)):
        relay = parse_relay({"host": HOST, "tls": "dane-only", **more}, "the relay")
        (warning,) = dane_warnings([relay], lambda _host, _port: proof)
        assert ("and gets the password" in warning) == gets
