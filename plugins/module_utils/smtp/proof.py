# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a server is the one that its TLS policy wants, told before a password is sent. Private to this collection.
#
# As smtp(8) does it (postconf(5), smtp_tls_security_level). OpenSSL verifies chains; names, fingerprints and TLSA
# records are compared here, for the standard library compares one name alone and none of the others.

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import (
    END_ENTITY,
    TRUST_ANCHOR,
    NotReadable,
    fingerprints_of,
    is_named,
    names_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import (
    NO_RECORDS,
    NOT_TOLD,
    PROVEN,
    UNUSABLE,
    Proof,
    want_of_proof,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import (
    DANE,
    DANE_ONLY,
    ENCRYPT,
    FINGERPRINT,
    MAY,
    VERIFY,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import ProbeFailed, Server

_NOTHING_SENT = "so that nothing was asked there and no password sent"
_MOST_NAMES = 5
_LONGEST_NAME = 80


class AnchorsFound(Exception):
    """The chain holds authorities that TLSA records name: another connection shows whether it really hangs on them."""

    def __init__(self, anchors: tuple[bytes, ...]) -> None:
        super().__init__("authorities that TLSA records name")
        self.anchors = anchors


def settled(server: Server) -> Server:
    """Give the server with the policy that DANE comes to, now that its records are known (RFC 7672 section 2.2).

    Raises ProbeFailed where the policy wants a proof that there is not.
    """
    proof = server.proof or Proof(NO_RECORDS, "none")
    if server.tls not in (DANE, DANE_ONLY) or proof.found == PROVEN:
        return server
    if server.tls == DANE_ONLY or proof.found == NOT_TOLD:
        raise ProbeFailed(
            f"nothing proves who {server} is, as tls {server.tls} wants it: "
            f"{want_of_proof(server.host, server.port, proof)}, {_NOTHING_SENT}; mend that, or choose another policy"
        )
    return dataclasses.replace(server, tls=ENCRYPT if proof.found == UNUSABLE else MAY)


def client_context(server: Server, anchors: Sequence[bytes]) -> ssl.SSLContext:
    """Give how the handshake is made: OpenSSL ends it where a chain is wanted and does not hold. Raises ProbeFailed.

    ``anchors`` are certificates (DER) that the chain has to hang on in place of authorities.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Of several names one is enough, which OpenSSL is not told of by the standard library.
    context.check_hostname = False
    if anchors:
        try:
            context.load_verify_locations(cadata=b"".join(anchors))
        except ssl.SSLError as error:
            raise ProbeFailed(
                f"the TLSA records of {server} hold an authority that is no certificate ({error.reason or error}), "
                f"{_NOTHING_SENT}: publish it in DER"
            ) from error
        context.verify_flags |= ssl.VerifyFlags(_partial_chain())
    elif server.tls == VERIFY:
        _trust_authorities(context, server)
    else:
        context.verify_mode = ssl.CERT_NONE
    return context


def server_name(server: Server) -> str | None:
    """Give the name to send in the handshake (SNI); with DANE it is the one that the records are of (RFC 7672)."""
    if _has_records(server) and server.proof:
        return server.proof.names[0]
    return server.authorities.name_sent_to(server.host)


def refused_chain(server: Server, error: ssl.SSLCertVerificationError) -> ProbeFailed:
    """Say that OpenSSL ended the handshake for the certificate."""
    return ProbeFailed(
        f"{server} has a certificate that tls {server.tls} does not take ({error.verify_message}), {_NOTHING_SENT}: "
        f"let it have one of an authority that is trusted here, or give the SHA-256 of its own with tls fingerprint"
    )


def prove(sock: ssl.SSLSocket, server: Server, anchors: Sequence[bytes]) -> None:
    """Return where the server has proven to be the one that its policy wants, or the policy wants no proof.

    Raises ProbeFailed, and AnchorsFound where one more connection, with these anchors, has to prove it.
    """
    if server.tls == VERIFY:
        _prove_name(sock, server, server.tls_match or (server.host,))
        return
    certificate = sock.getpeercert(binary_form=True) or b""
    try:
        if server.tls == FINGERPRINT and not set(fingerprints_of(certificate)) & set(server.tls_match):
            raise ProbeFailed(
                f"{server} has a certificate with none of the fingerprints that are wanted, {_NOTHING_SENT}: somebody "
                f"else may answer there; if its certificate is a new one, ask its administrator for the SHA-256"
            )
        if _has_records(server) and server.proof:
            _prove_by_records(sock, server, server.proof, certificate, anchors)
    except NotReadable as error:
        raise ProbeFailed(f"{server} has a certificate that cannot be read ({error}), {_NOTHING_SENT}") from error


def _has_records(server: Server) -> bool:
    return server.tls in (DANE, DANE_ONLY)


def _trust_authorities(context: ssl.SSLContext, server: Server) -> None:
    authorities = server.authorities
    places: list[tuple[str | None, str | None]] = [(authorities.file, None), (None, authorities.folder)]
    if authorities.anchors:
        places = [(anchor, None) for anchor in authorities.anchors]
        context.verify_flags |= ssl.VerifyFlags(_partial_chain())
    elif authorities.and_of_the_system:
        context.set_default_verify_paths()
    for file, folder in places:
        try:
            if file or folder:
                context.load_verify_locations(file, folder)
        except (OSError, ValueError) as error:
            raise ProbeFailed(
                f"the certificate authorities in {file or folder} cannot be read "
                f"({getattr(error, 'strerror', None) or error}), so that {server} cannot prove who it is: "
                f"correct the path, or what stands there"
            ) from error


def _prove_name(sock: ssl.SSLSocket, server: Server, wanted: Sequence[str]) -> None:
    names = names_of(sock.getpeercert() or {})
    if not is_named(names, wanted):
        shown = ", ".join(_printable(name) for name in names[:_MOST_NAMES]) or "nobody"
        raise ProbeFailed(
            f"{server} has a certificate for {shown}, and tls {server.tls} wants one for {' or '.join(wanted)}, "
            f"{_NOTHING_SENT}: correct the names that are wanted, or its certificate"
        )


def _prove_by_records(
    sock: ssl.SSLSocket, server: Server, proof: Proof, certificate: bytes, anchors: Sequence[bytes]
) -> None:
    """Hold the chain against TLSA records (RFC 7672 section 3.1): the key itself, or an authority and the name."""
    if anchors:
        # OpenSSL has ended the handshake already where the chain does not hang on them.
        _prove_name(sock, server, proof.names)
        return
    if any(record.usage == END_ENTITY and record.matches(certificate) for record in proof.records):
        return
    authorities = [record for record in proof.records if record.usage == TRUST_ANCHOR]
    sent = _chain(sock) if authorities else []
    found = [one for one in sent[1:] if any(record.matches(one) for record in authorities)]
    # Nobody is their own authority, for OpenSSL neither.
    found += [record.data for record in authorities if record.is_certificate and record.data != certificate]
    if found and _partial_chain():
        raise AnchorsFound(tuple(found))
    if authorities and not (sent and _partial_chain()):
        raise ProbeFailed(
            f"{server} has TLSA records of an authority (usage 2), and this Python does not show the chain of "
            f"certificates, {_NOTHING_SENT}: publish a record with usage 3, or run the task with Python 3.10 or newer"
        )
    raise ProbeFailed(
        f"{server} has a certificate that none of its TLSA records means, {_NOTHING_SENT}: somebody else may answer "
        f"there; if its key is a new one, publish the record of it"
    )


def _chain(sock: ssl.SSLSocket) -> list[bytes]:
    """Give the certificates (DER) that the server has sent; [] where Python does not tell them."""
    told = getattr(sock, "get_unverified_chain", None)
    if told is not None:
        return [bytes(one) for one in told()]
    # Before Python 3.13 the same is there, in the object behind the socket; before 3.10 it is not.
    told = getattr(getattr(sock, "_sslobj", None), "get_unverified_chain", None)
    return [ssl.PEM_cert_to_DER_cert(one.public_bytes()) for one in told()] if told is not None else []


def _partial_chain() -> int:
    """Give OpenSSL's flag by which an authority in the middle of a chain is believed; 0 before Python 3.10."""
    return int(getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0))


def _printable(name: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name)[:_LONGEST_NAME]
