# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Opens an SMTP connection: greeted, encrypted, logged in; its faults are sentences. Private to this collection.

from __future__ import annotations

import base64
import contextlib
import dataclasses
import smtplib
import socket
import ssl
import time
from collections.abc import Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import without_secrets
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import ALWAYS_ENCRYPTED, MAY, NONE
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import SmtpReply, join_reply
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import (
    ConnectionEnded,
    ProbeFailed,
    Server,
    SmtpConnection,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.proof import (
    AnchorsFound,
    client_context,
    prove,
    refused_chain,
    server_name,
    settled,
)

# A greeting of 421 means "not now" (too many connections, shutting down), so it is worth another try or two.
TRIES_TO_CONNECT = 3
SECONDS_BETWEEN_TRIES = 1.0
SERVICE_READY, AUTHENTICATED, CONTINUE = 220, 235, 334


def connect(server: Server) -> SmtpConnection:
    """Give a connection that is greeted, encrypted as the policy wants, proven and logged in. Raises ProbeFailed."""
    server = settled(server)
    anchors: tuple[bytes, ...] = ()
    tries_left = TRIES_TO_CONNECT
    while True:
        connection = SmtpConnection(server)
        try:
            _greet(connection, anchors)
            return connection
        except AnchorsFound as found:
            connection.close()
            anchors = found.anchors
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise refused_chain(server, error) from error
        except ssl.SSLError as error:
            connection.close()
            if server.tls != MAY:
                raise ProbeFailed(
                    f"the TLS handshake with {server} failed ({error.reason or error}): correct its certificate "
                    "or TLS settings, or set 'tls' to may"
                ) from error
            # As a mail server would: where TLS is wished for but not demanded, plain text follows.
            return connect(dataclasses.replace(server, tls=NONE))
        except ConnectionEnded as ended:
            connection.close()
            tries_left -= 1
            if ended.reply is None or not tries_left:
                raise ProbeFailed(
                    f"{ended}: look into its log for the reason, and try again later", ended.reply
                ) from ended
            time.sleep(SECONDS_BETWEEN_TRIES)
        except BaseException:
            connection.close()
            raise


def _greet(connection: SmtpConnection, anchors: Sequence[bytes]) -> None:
    """Connect, say EHLO (HELO to a server that knows no other), start TLS as the policy wants it, and log in."""
    server = connection.server
    try:
        code, text = _reach(connection)
    except socket.gaierror as error:
        raise ProbeFailed(
            f"{server.host} has no address ({error.strerror}): check the name, and the resolver of this host"
        ) from error
    except ConnectionRefusedError as error:
        raise ProbeFailed(
            f"nothing listens on {server} (connection refused): start the mail server there, or correct 'port'"
        ) from error
    except socket.timeout as error:
        raise ProbeFailed(
            f"{server} cannot be reached within {server.timeout:g} s: check the route and the firewalls on it"
        ) from error
    except OSError as error:
        raise ProbeFailed(f"{server} cannot be reached ({error.strerror or error}): check the network") from error
    if code != SERVICE_READY:
        raise ProbeFailed(
            f"{server} greets with {_reply(code, text)}: it does not want to talk to this host; ask its administrator",
            _reply(code, text),
        )
    _introduce(connection)
    if server.tls != NONE:
        _encrypt(connection, anchors)
    if server.username is not None:
        _log_in(connection, server.username, server.password or "")


def _reach(connection: SmtpConnection) -> tuple[int, bytes | str]:
    """Connect to the first address that can be connected to, and give the greeting."""
    server = connection.server
    *others, last = server.addresses or (server.host,)
    for address in others:
        with contextlib.suppress(OSError):
            return connection.connect(address, server.port)
    return connection.connect(last, server.port)


def _introduce(connection: SmtpConnection) -> None:
    try:
        connection.ehlo_or_helo_if_needed()
    except smtplib.SMTPHeloError as error:
        raise ProbeFailed(
            f"{connection.server} refuses the name {connection.local_hostname}: "
            f"it said {_reply(error.smtp_code, error.smtp_error)}; set 'helo' to a name that it takes",
            _reply(error.smtp_code, error.smtp_error),
        ) from error


def _encrypt(connection: SmtpConnection, anchors: Sequence[bytes]) -> None:
    """Start TLS where there is TLS, and go on only with the server that the policy means."""
    server = connection.server
    if not connection.has_extn("starttls"):
        if server.tls != MAY:
            raise ProbeFailed(f"{server} does not offer STARTTLS: set up TLS there, or set 'tls' to may")
        return
    context = client_context(server, anchors)
    try:
        sock = connection.encrypt(context, server_name(server))
    except smtplib.SMTPResponseException as error:
        if server.tls != MAY:
            raise ProbeFailed(
                f"{server} offers STARTTLS but refuses it: it said {_reply(error.smtp_code, error.smtp_error)}; "
                "look into its log"
            ) from error
        return
    except socket.timeout as error:
        raise ProbeFailed(f"the TLS handshake with {server} did not end within {server.timeout:g} s") from error
    except ssl.SSLError:
        raise
    except OSError as error:
        raise ProbeFailed(
            f"{server} broke off the TLS handshake ({error.strerror or error}): look into its log"
        ) from error
    prove(sock, server, anchors)
    connection.is_proven = True
    _introduce(connection)


def _log_in(connection: SmtpConnection, username: str, password: str) -> None:
    """Say who is asking (RFC 4954, RFC 4616), over TLS only. Raises ProbeFailed, which shows no secret."""
    server = connection.server
    if not connection.is_proven or server.tls not in ALWAYS_ENCRYPTED:
        raise ProbeFailed(f"anybody could read along with the password for {username} at {server}: set 'tls' to verify")
    offered = str(connection.esmtp_features.get("auth", "")).upper().split()
    secrets = {
        "PLAIN": [f"AUTH PLAIN {_base64(f'{chr(0)}{username}{chr(0)}{password}')}"],
        "LOGIN": ["AUTH LOGIN", _base64(username), _base64(password)],
    }
    mechanism = next((name for name in secrets if name in offered), None)
    if mechanism is None:
        raise ProbeFailed(
            f"{server} offers no way of logging in that sends a password (PLAIN, LOGIN): "
            f"ask without a username, or correct the server or 'port'"
        )
    for line in secrets[mechanism]:
        said = connection.say(line, f"AUTH {mechanism}")
        # A server may repeat what it was sent.
        reply = SmtpReply(
            said.code, without_secrets(said.text, {password, *(one.split()[-1] for one in secrets[mechanism])})
        )
        if reply.code not in (CONTINUE, AUTHENTICATED):
            raise ProbeFailed(f"{server} refuses the login of {username}: it said {reply}; correct the password", reply)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def _reply(code: int, text: bytes | str) -> SmtpReply:
    words = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
    return join_reply(code, words.splitlines())
