# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What DNSSEC proves of relays with a DANE policy, and what becomes of their mail where that is too little. Pure.

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.mailops.split_domain.plugins.module_utils.relay.certificates import Tlsa
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import DANE, DANE_ONLY

DNSSEC_POLICIES = (DANE, DANE_ONLY)
# What may be found of a place where mail is taken.
PROVEN = "proven"
NO_RECORDS = "no_records"
UNUSABLE = "unusable"
UNSIGNED = "unsigned"
NOT_VALIDATED = "not_validated"
NOT_TOLD = "not_told"
_MOST_AT_ONCE = 16
_CURE = "or choose another policy"


@dataclass(frozen=True)
class Proof:
    """What this server's own resolvers say of the host and port of a relay (RFC 7672): one of the words above.

    ``resolvers`` are who was asked. ``said`` is a word for what came instead of an answer, with ``NOT_TOLD``.
    ``remote`` are the resolvers on other hosts that the proof comes from; none for one of this host itself.
    """

    found: str
    resolvers: str
    said: str = ""
    records: tuple[Tlsa, ...] = ()
    """The records of a place that is PROVEN."""
    names: tuple[str, ...] = ()
    """The name that the records are of, then the host where that is another: one of them a certificate has to have."""
    remote: str = ""


AskForProof = Callable[[str, int], Proof]
"""Asks for what is proven of a host name and a port; it raises nothing."""


def dane_warnings(servers: Iterable[Relay], ask: AskForProof) -> tuple[str, ...]:
    """Give a warning for each of these servers whose certificate DANE cannot tell, as it stands now.

    Postfix says so in its log alone: with "dane" mail leaves without proof, with "dane-only" it waits.
    """
    guarded = [server for server in servers if server.tls in DNSSEC_POLICIES]
    if not guarded:
        return ()
    with ThreadPoolExecutor(min(len(guarded), _MOST_AT_ONCE)) as threads:
        proofs = threads.map(lambda server: ask(server.host, server.port), guarded)
        said = (_warning(server, proof) for server, proof in zip(guarded, proofs))
        return tuple(text for text in said if text is not None)


def login_by_remote_proof(server: Relay, proof: Proof | None) -> tuple[str, ...]:
    """Give a warning where a password goes to a server whose certificate is told by a proof from another host."""
    if server.username is None or proof is None or proof.found != PROVEN or server.tls not in DNSSEC_POLICIES:
        return ()
    warning = _warning(server, proof)
    return () if warning is None else (warning,)


def tlsa_name(host: str, port: int) -> str:
    """Give the name of the TLSA records of a place where mail is taken (RFC 6698 section 3)."""
    return f"_{port}._tcp.{host}"


def want_of_proof(host: str, port: int, proof: Proof) -> str:
    """Say in a clause why nothing is proven of a place; for all that is found but PROVEN."""
    records = f"TLSA records of {tlsa_name(host, port)}"
    said = {
        NOT_VALIDATED: f"the resolver of this host ({proof.resolvers}) does not validate signed records (DNSSEC)",
        UNSIGNED: "the address of the host is in no signed zone (DNSSEC)",
        NO_RECORDS: f"there are no {records}",
        UNUSABLE: f"the {records} have none of the usages 2 and 3 in a form that mail servers take (RFC 7672)",
    }
    return said.get(proof.found, f"the resolver of this host ({proof.resolvers}) gives no {records} ({proof.said})")


def _warning(server: Relay, proof: Proof) -> str | None:
    beginning = f"the relay {server} has tls {server.tls}, and"
    result = "all mail for it waits"
    if server.tls == DANE and proof.found != NOT_TOLD:
        result = "its mail goes with nothing verified"
        if proof.found != UNUSABLE:
            result += ", and in clear where it offers no TLS"
    if proof.found == NOT_VALIDATED:
        return (
            f"{beginning} the resolver of this server ({proof.resolvers}) does not validate signed records (DNSSEC), "
            f"so that {result}: let one that does answer at 127.0.0.1, {_CURE}"
        )
    if proof.found == UNSIGNED:
        where = "the address of its host is in no signed zone (DNSSEC)"
        return f"{beginning} {where}, so that {result}: sign the zone, {_CURE}"
    if proof.found == NO_RECORDS:
        return (
            f"{beginning} there are no TLSA records of {tlsa_name(server.host, server.port)}, so that {result}: "
            f"publish them, {_CURE}"
        )
    if proof.found == UNUSABLE:
        return (
            f"{beginning} the TLSA records of {tlsa_name(server.host, server.port)} have none of the usages 2 and 3, "
            f"which mail servers take (RFC 7672), so that {result}: publish one that has, {_CURE}"
        )
    if proof.found == NOT_TOLD:
        return (
            f"{beginning} the resolver of this server ({proof.resolvers}) gives no TLSA records of "
            f"{tlsa_name(server.host, server.port)} and does not say that there are none ({proof.said}), so that "
            f"{result}: see whether the zone is signed rightly, and the resolver answers"
        )
    return _warning_of_remote_proof(beginning, server, proof)


def _warning_of_remote_proof(beginning: str, server: Relay, proof: Proof) -> str | None:
    """Warn of a proof that came over a network: what says that it was verified is a bit that anybody there can set."""
    if not proof.remote:
        return None
    gets = "" if server.username is None else " and gets the password"
    return (
        f"{beginning} its proof comes from a resolver on another host ({proof.remote}), which Postfix believes, too: "
        f"whoever can change what passes between can forge it{gets}, so let a resolver that validates signed records "
        "(DNSSEC) answer at 127.0.0.1"
    )
