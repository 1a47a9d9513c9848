# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# One SMTP connection: what is said and heard on it, within its time. Private to this collection.

from __future__ import annotations

import dataclasses
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import Proof
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import OF_THE_SYSTEM, Authorities
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.answers import (
    RcptAnswer,
    SmtpReply,
    join_reply,
    parse_reply_line,
)

MAX_LINE = 4096  # RFC 5321 section 4.5.3.1.5 allows 512 octets; be liberal
MAX_LINES = 1000
SHUTTING_DOWN = 421


class ProbeFailed(SplitDomainError):
    """A server could not be asked: no connection, no SMTP, no TLS, or it refuses to talk to us.

    ``reply`` is what the server said when it ended the conversation with a reply.
    """

    def __init__(self, message: str, reply: SmtpReply | None = None) -> None:
        super().__init__(message)
        self.reply = reply

    def details(self) -> dict[str, Any]:
        """Give the server's reply, when there was one."""
        return {"reply": self.reply.as_result()} if self.reply else {}


class ConnectionEnded(Exception):
    """The server said 421 or closed the connection; the text tells what was going on."""

    def __init__(self, message: str, reply: SmtpReply | None = None) -> None:
        super().__init__(message)
        self.reply = reply


@dataclasses.dataclass(frozen=True)
class Server:
    """The server to ask and how to talk to it. ``timeout`` is in seconds and holds for each reply.

    ``addresses`` are tried in their order; without any, those that the host's name has. ``source`` is the address to
    connect from, None for what the system takes. ``tls`` and ``tls_match`` are as a relay has them, ``proof`` is what
    DNSSEC proves, for the policies that want to know.
    """

    host: str
    port: int = 25
    addresses: tuple[str, ...] = ()
    helo: str | None = None
    timeout: float = 30.0
    tls: str = "may"
    tls_match: tuple[str, ...] = ()
    authorities: Authorities = OF_THE_SYSTEM
    proof: Proof | None = None
    sender: str = ""
    source: str | None = None
    username: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        """Name it in messages."""
        return f"{self.host} port {self.port}"


class SmtpConnection(smtplib.SMTP):
    """An SMTP connection whose replies have a deadline and a bounded size, and whose faults say what they are."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._received = bytearray()
        self._in_transaction = False
        self._doing = "the connection with a greeting"
        self.is_proven = False
        """Whether TLS protects it, and the server has proven to be who the policy wants: passwords wait for that."""
        source = (server.source, 0) if server.source else None
        super().__init__(local_hostname=server.helo, timeout=server.timeout, source_address=source)

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply for the methods of smtplib, which want its text as bytes, line by line."""
        code, lines = self._read_reply()
        return code, "\n".join(lines).encode()

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command of smtplib's own methods, and remember it for messages."""
        self._doing = f"{cmd.upper()} {args}".strip()
        super().putcmd(cmd.upper(), args)

    def say(self, secret: str, doing: str) -> SmtpReply:
        """Send a line that no message may show, called ``doing`` there, and give the answer; raises as ``ask`` does."""
        self._doing = doing
        self.send(f"{secret}\r\n")
        return join_reply(*self._read_reply())

    def send(self, s: Any) -> None:
        """Send bytes or text of smtplib; raises ConnectionEnded when the server is gone."""
        try:
            super().send(s)
        except smtplib.SMTPServerDisconnected as error:
            raise self._closed() from error

    def encrypt(self, context: ssl.SSLContext, name: str | None) -> ssl.SSLSocket:
        """Start TLS, tell the server this name of it (SNI) or none, and give what it is spoken over.

        Raises OSError (ssl.SSLError) where the handshake fails, smtplib.SMTPResponseException where it is refused.
        """
        self._host = name
        code, text = self.starttls(context=context)
        if not isinstance(self.sock, ssl.SSLSocket):
            raise smtplib.SMTPResponseException(code, text)
        self.forget_plain_text()
        return self.sock

    def forget_plain_text(self) -> None:
        """Drop what came before the TLS handshake: somebody on the wire may have put it there (RFC 3207 section 6)."""
        self._received.clear()

    def ask(self, recipients: Sequence[str], *, in_new_transaction: bool) -> Iterator[RcptAnswer]:
        """Yield the answer for each recipient, all in one round trip where the server allows it.

        More than one recipient at a time needs PIPELINING (RFC 2920 section 3.1). Raises ProbeFailed when the sender
        is refused, ConnectionEnded when the server said 421 or hung up.
        """
        reset = ["RSET"] if in_new_transaction and self._in_transaction else []
        begin = [f"MAIL FROM:<{self.server.sender}>"] if in_new_transaction else []
        rcpt = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        pipelining = self.has_extn("pipelining")
        if pipelining:
            self._send(reset + begin + rcpt)
        for command in reset + begin:
            reply = self._answer_to(command, already_sent=pipelining)
            if not reply.is_success:
                raise ProbeFailed(
                    f"{self.server} refuses the sender <{self.server.sender}>, so no recipient can be asked for: "
                    f"it said {reply}; use a sender that it takes, or have it trust this host",
                    reply,
                )
            self._in_transaction = True
        for recipient, command in zip(recipients, rcpt):
            yield RcptAnswer(recipient, self._answer_to(command, already_sent=pipelining))

    def _answer_to(self, command: str, *, already_sent: bool) -> SmtpReply:
        if not already_sent:
            self._send([command])
        self._doing = command
        return join_reply(*self._read_reply())

    def _send(self, lines: Sequence[str]) -> None:
        self._doing = lines[0]
        self.send("".join(f"{line}\r\n" for line in lines))

    def _read_reply(self) -> tuple[int, list[str]]:
        deadline = time.monotonic() + self.server.timeout
        lines: list[str] = []
        while len(lines) < MAX_LINES:
            line = self._read_line(deadline)
            parsed = parse_reply_line(line)
            if parsed is None:
                raise ProbeFailed(
                    f"{self.server} does not speak SMTP: it answered {self._doing} with {line[:80]!r}; correct the port"
                )
            code, is_last, text = parsed
            lines.append(text)
            if is_last and code == SHUTTING_DOWN:
                reply = join_reply(code, lines)
                raise ConnectionEnded(f"{self.server} answered {self._doing} with {reply}", reply)
            if is_last:
                return code, lines
        raise ProbeFailed(
            f"{self.server} answered {self._doing} with more than {MAX_LINES} lines: that is no mail server"
        )

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self._received:
            if len(self._received) > MAX_LINE:
                raise ProbeFailed(
                    f"{self.server} answered {self._doing} with a line of more than {MAX_LINE} characters: "
                    "that is no mail server"
                )
            self._received += self._receive(deadline)
        line, _newline, rest = bytes(self._received).partition(b"\n")
        self._received = bytearray(rest)
        return line

    def _receive(self, deadline: float) -> bytes:
        remaining = deadline - time.monotonic()
        try:
            if self.sock is None:
                raise self._closed()
            if remaining <= 0:
                raise socket.timeout
            self.sock.settimeout(remaining)
            data: bytes = self.sock.recv(MAX_LINE)
        except socket.timeout as error:
            raise ProbeFailed(
                f"{self.server} did not answer {self._doing} within {self.server.timeout:g} s: "
                "look whether it is overloaded, or raise 'timeout'"
            ) from error
        except OSError as error:
            raise self._closed() from error
        if not data:
            raise self._closed()
        return data

    def _closed(self) -> ConnectionEnded:
        return ConnectionEnded(f"{self.server} closed the connection instead of answering {self._doing}")
