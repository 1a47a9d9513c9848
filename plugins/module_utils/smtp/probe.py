# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Asks an SMTP server at RCPT for many recipients; no message is ever sent. Private to this collection.

from __future__ import annotations

import contextlib
import dataclasses
import re
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, MailServerMissing
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_host, is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import ACCEPTED
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown_host
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import (
    DNSSEC_POLICIES,
    AskForProof,
    login_by_remote_proof,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import (
    Relay,
    login_warnings,
    parse_passwords,
    parse_username,
    place_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import (
    ENCRYPT,
    MAY,
    NONE,
    OF_THE_SYSTEM,
    VERIFY,
    Authorities,
    parse_tls,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import (
    RcptAnswer,
    check_expectations,
    parse_questions,
    parse_sender,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import (
    ConnectionEnded,
    ProbeFailed,
    Server,
    SmtpConnection,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.opening import connect

# Postfix answers a second late after 10 errors in a session, and hangs up after 20 (smtpd_soft_error_limit,
# smtpd_hard_error_limit); others do much the same.
REFUSALS_PER_CONNECTION = 9
# Every server takes as many in one transaction (RFC 5321 section 4.5.3.1.8). A transaction for each recipient would
# make Postfix open a queue file for each, and its flow control (in_flow_delay) slow down everybody's mail.
RECIPIENTS_PER_CONNECTION = 100


@dataclasses.dataclass(frozen=True)
class Probe:
    """The answers, in the order of the questions, and what the first connection told.

    That is the version of TLS (None: plain text), and the size of the largest message in bytes (None: not said).
    """

    answers: tuple[RcptAnswer, ...]
    tls: str | None
    size: int | None = None


def probe(server: Server, recipients: Sequence[str]) -> Probe:
    """Ask the server for every recipient (addresses as parse_path gives them); nothing is sent after RCPT.

    Connections are reused, and replaced before the server loses its patience. Raises ProbeFailed.
    """
    answers: list[RcptAnswer] = []
    tls: str | None = None
    size: int | None = None
    while len(answers) < len(recipients):
        with contextlib.closing(connect(server)) as connection:
            if not answers and isinstance(connection.sock, ssl.SSLSocket):
                tls = connection.sock.version()
            if not answers:
                size = _largest_message(connection)
            answers += _ask_until_spent(connection, recipients[len(answers) :])
    return Probe(tuple(answers), tls, size)


ReadAuthorities = Callable[[str], Authorities]
"""Reads whose certificates the mail server of a configuration directory believes."""


def work(
    ask_for_proof: AskForProof, read_authorities: ReadAuthorities, params: dict[str, Any], _check_mode: bool
) -> Outcome:
    """Do what the module smtp_probe is for; it changes nothing, so check mode is no different.

    ``ask_for_proof`` asks the DNS for the policies that want that, ``read_authorities`` is for a host that is a mail
    server itself. Raises InvalidInput, ProbeFailed, UnexpectedAnswer.
    """
    questions = parse_questions(params["recipients"])
    server = _server_of(params)
    server = dataclasses.replace(
        server,
        authorities=_authorities_of(params, read_authorities),
        proof=ask_for_proof(server.host, server.port) if server.tls in DNSSEC_POLICIES else None,
    )
    result = probe(server, [question.address for question in questions])
    asked = Relay(server.host, server.port, server.tls, username=server.username)
    check_expectations(str(server), questions, result.answers)
    return Outcome(
        changed=False,
        values={
            "recipients": [answer.as_result() for answer in result.answers],
            "tls": result.tls,
            "size": result.size,
        },
        warnings=(
            *_size_warnings(server, result.size, params.get("least_size")),
            *login_warnings([asked]),
            *login_by_remote_proof(asked, server.proof),
        ),
    )


def _largest_message(connection: SmtpConnection) -> int | None:
    """Give what the server said of sizes (RFC 1870 section 4): 0 stands for no fixed limit."""
    said = str(connection.esmtp_features.get("size", "")).strip()
    # RFC 1870 section 3: 20 digits at most.
    return int(said) or None if re.fullmatch("[0-9]{1,20}", said) else None


def _size_warnings(server: Server, size: int | None, least: int | None) -> tuple[str, ...]:
    if size is None or least is None or size >= least:
        return ()
    return (
        f"{server} takes messages of {size} bytes at most, and {least} are wanted: larger ones that were taken before "
        f"it come back to their senders; raise the limit there, or lower those of servers that send to it",
    )


def _server_of(params: dict[str, Any]) -> Server:
    host = params["host"].strip(" \t")
    if not is_ip_address(host):
        host = canonical_host(host)
    for name, lowest, highest in (("port", 1, 65535), ("timeout", 1, 3600)):
        if not lowest <= params[name] <= highest:
            raise InvalidInput(f"{name!r} is {params[name]}: choose a number from {lowest} to {highest}")
    owner = f"the server {place_of(Relay(host, params['port']))}"
    tls, match = parse_tls({**params, "tls": _policy_of(params)}, host, owner)
    username = parse_username(params.get("username"), tls, owner)
    return Server(
        host=host,
        port=params["port"],
        addresses=tuple(_parse_address(address) for address in params.get("addresses") or ()),
        helo=canonical_host(params["helo"]) if params["helo"] else None,
        timeout=float(params["timeout"]),
        tls=tls,
        tls_match=match,
        sender=parse_sender(params["sender"]),
        username=username,
        password=_password_for(host, params) if username is not None else None,
    )


def _policy_of(params: dict[str, Any]) -> str:
    """Give the policy that ``tls`` and ``validate_certs`` come to: a password waits for a proof by default."""
    tls, validate = params.get("tls"), params.get("validate_certs")
    logs_in = params.get("username") is not None
    if validate and tls in (NONE, MAY):
        raise InvalidInput(
            "'validate_certs' is set, but 'tls' allows plain text, which proves nothing: set 'tls' to verify"
        )
    if validate is False and tls not in (None, NONE, MAY, ENCRYPT):
        raise InvalidInput(f"'validate_certs' is false, and 'tls' is {tls}, which validates: remove one of them")
    if tls is None:
        tls = ENCRYPT if logs_in or validate else MAY
    return VERIFY if tls == ENCRYPT and (logs_in if validate is None else validate) else str(tls)


def _authorities_of(params: dict[str, Any], read_authorities: ReadAuthorities) -> Authorities:
    """Give whose certificates are believed: those of named files, of the mail server on this host, or of the system."""
    file, folder = params.get("ca_file"), params.get("ca_path")
    if file or folder:
        return Authorities(file, folder, and_of_the_system=False)
    if params.get("authorities") != "mail_server":
        return OF_THE_SYSTEM
    try:
        return read_authorities(params["config_directory"])
    except MailServerMissing:
        return OF_THE_SYSTEM


def _password_for(host: str, params: dict[str, Any]) -> str:
    """Give the password for the server that is asked; raises InvalidInput where there is none."""
    server = place_of(Relay(host, params["port"]))
    password = parse_passwords(params.get("passwords") or ()).get(server)
    if password is None:
        raise InvalidInput(f"the server {server} has a username and no password: give it in the option passwords")
    return password


def _parse_address(text: str) -> str:
    if not is_ip_address(text):
        raise InvalidInput(
            f"'addresses' has {shown_host(text)}, which is no IP address: write addresses there, a name in 'host'"
        )
    return text.strip(" \t")


def _ask_until_spent(connection: SmtpConnection, recipients: Sequence[str]) -> list[RcptAnswer]:
    """Give the answers that one connection yields: at least one, or ProbeFailed is raised."""
    answers: list[RcptAnswer] = []
    refusals = accepted_together = 0
    in_new_transaction = True
    try:
        while len(answers) < min(len(recipients), RECIPIENTS_PER_CONNECTION) and refusals < REFUSALS_PER_CONNECTION:
            window = REFUSALS_PER_CONNECTION - refusals if connection.has_extn("pipelining") else 1
            batch = recipients[len(answers) : len(answers) + window]
            accepted_together = 0 if in_new_transaction else accepted_together
            is_crowded = False
            for answer in connection.ask(batch, in_new_transaction=in_new_transaction):
                refusals += answer.verdict != ACCEPTED
                # What follows such an answer was asked in the same crowd, and is asked again without it.
                is_crowded = is_crowded or (accepted_together > 0 and answer.may_be_due_to_others)
                if not is_crowded:
                    answers.append(answer)
                    accepted_together += answer.verdict == ACCEPTED
            in_new_transaction = is_crowded
    except ConnectionEnded as ended:
        if answers:
            return answers
        if ended.reply is None:
            raise ProbeFailed(f"{ended}: look into its log for the reason") from ended
        # 421 to the first recipient of a fresh connection is the server's answer for this recipient.
        return [RcptAnswer(recipients[0], ended.reply)]
    with contextlib.suppress(ProbeFailed, ConnectionEnded):
        connection.docmd("QUIT")
    return answers
