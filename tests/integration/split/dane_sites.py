# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Two sites of which one finds the other by names with and without DNSSEC, right records and wrong ones.

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from certificates import Certificate, make_certificate
from sent_mail import DISCARDED, delivered, send, wait_until
from signed_names import SignedNames, signed_names
from split_network import Network
from split_server import GROWN_MAIN_CF, SplitServer, configured_server

NUMBERS = count()
TLS = """
smtpd_tls_cert_file = {certificate.file}
smtpd_tls_key_file = {certificate.key}
smtpd_tls_security_level = may
"""
# An existing server that looks names up in the DNS, as most do, and asks nobody for proof.
SENDING = GROWN_MAIN_CF.replace("smtp_host_lookup = native\n", "# our resolver\nsmtp_dns_support_level  =  enabled\n")
SENDING += "\nsmtp_tls_loglevel = 1\n"


@dataclass(frozen=True)
class Sites:
    """The server that sends, the one that takes its mail under several names, and the DNS that the first one asks."""

    cloud: SplitServer
    hq: SplitServer
    names: SignedNames
    certificate: Certificate

    def domain(self, host: str, tls: str, **more: Any) -> dict[str, Any]:
        """Give the domain on cloud, with hq as where unknown recipients go."""
        peer = {"site": "hq", "relay": {"host": host, "port": self.hq.port, "tls": tls, **more}}
        return {"domain": "example.com", "unknown": "hq", "peers": [peer]}

    def split(self, host: str, tls: str, **more: Any) -> dict[str, Any]:
        """Have cloud send what it does not know to hq."""
        return self.cloud.split(self.domain(host, tls, **more))

    def answer(self) -> str:
        """Return what cloud says of a user whom only hq knows, and nobody has asked for."""
        return str(self.cloud.ask(f"cyd+{next(NUMBERS)}@example.com"))

    def send(self, host: str, tls: str) -> str:
        """Send a message for a user whom cloud knows to be at hq, and return what cloud's log says became of it."""
        user = f"bob+{next(NUMBERS)}@example.com"
        self.cloud.routes("example.com", routes=[{"address": user, "to": [{"host": host, "port": self.hq.port}]}])
        self.split(host, tls)
        send(self.cloud, user)

        def lines() -> list[str]:
            return [line for line in self.cloud.log().splitlines() if f"to=<{user}>" in line and "status=" in line]

        wait_until(lambda: bool(lines()), self.cloud)
        (line,) = lines()
        # Nothing is left behind that waits.
        assert self.cloud.command("postsuper", "-d", "ALL").returncode == 0
        assert delivered(self.hq, user) == line.count("status=sent")
        return line

    def connections(self, host: str) -> list[str]:
        """Return how the connections to a host were made, as cloud's log has it: one word each."""
        marks = [line.partition(" TLS connection established to ") for line in self.cloud.log().splitlines()]
        return [before.split()[-1] for before, _mark, after in marks if after.startswith(f"{host}[")]


@contextmanager
def dane_sites(network: Network) -> Iterator[Sites]:
    """Give the two sites, with names of hq that have and have not what DANE wants."""
    with ExitStack() as stack:
        hq = stack.enter_context(configured_server(network, "hq"))
        certificate, other = (make_certificate(hq.directory, name) for name in ("mx.hq.test", "other.hq.test"))
        place = f"_{hq.port}._tcp"
        hosts = ("right.signed", "wrong.signed", "bare.signed", "unusable.signed", "forged.signed", "right.plain")
        records = [f"{host}. A {hq.address}" for host in hosts]
        records += [f"{place}.right.{zone}. TLSA {certificate.tlsa}" for zone in ("signed", "plain")]
        records += [f"{place}.wrong.signed. TLSA {other.tlsa}", "alias.signed. CNAME right.signed."]
        records += [
            f"{place}.unusable.signed. TLSA 1 1 1 {'CD' * 32}",
            f"{place}.forged.signed. TLSA 3 1 1 {'EF' * 32}",
        ]
        names = stack.enter_context(signed_names(network, records, {"EF" * 28: "FE" * 28}))
        cloud = stack.enter_context(configured_server(names.network, "cloud", SENDING))
        hq.main_cf.write_text(hq.main_cf.read_text() + TLS.format(certificate=certificate))
        known = [{"address": f"{name}@example.com", "to": "local"} for name in ("bob", "cyd")]
        hq.routes("example.com", routes=known, local_transport=DISCARDED)
        hq.split({"domain": "example.com", "peers": [{"site": "cloud", "relay": {"host": cloud.address}}]})
        hq.start()
        cloud.start()
        yield Sites(cloud, hq, names, certificate)
