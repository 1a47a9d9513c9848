# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Somebody in the middle: takes every connection, speaks TLS with a certificate of its choice, and keeps what it hears.

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Impostor:
    """An SMTP server that says yes to everything, above all to logins; ``heard`` is what it was told over TLS."""

    def __init__(self, chain: Path, key: Path, address: str = "127.0.0.1", port: int = 0) -> None:
        self.echoes = False
        """Whether it refuses logins, and says what it was sent."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(chain, key)
        self._context.sni_callback = self._named
        self._listener = socket.create_server((address, port))
        self.port: int = self._listener.getsockname()[1]
        self.heard: list[str] = []
        self.names: list[str | None] = []
        """The names that clients asked for (SNI), one for each handshake."""
        self._acceptor = threading.Thread(target=self._serve, daemon=True)
        self._acceptor.start()

    @property
    def logins(self) -> list[str]:
        """What it knows of passwords."""
        return [line for line in self.heard if "AUTH" in line.upper()]

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()

    def _named(self, _sock: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        self.names.append(name)

    def _serve(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(client,), daemon=True).start()

    def _converse(self, client: socket.socket) -> None:
        # Whoever does not like the certificate hangs up.
        with contextlib.suppress(OSError), client:
            client.sendall(b"220 wire ESMTP\r\n")
            while True:
                verb = self._line(client).split(" ")[0].upper()
                client.sendall(
                    {"EHLO": b"250-wire\r\n250 STARTTLS\r\n", "STARTTLS": b"220 go\r\n"}.get(verb, b"250 ok\r\n")
                )
                if verb == "STARTTLS":
                    break
            with self._context.wrap_socket(client, server_side=True) as encrypted:
                while True:
                    line = self._line(encrypted)
                    self.heard.append(line)
                    verb = line.split(" ")[0].upper()
                    answer = {"EHLO": b"250-wire\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 ok\r\n"}.get(verb, b"250 ok\r\n")
                    if self.echoes and verb == "AUTH":
                        sent = line.split()[-1]
                        answer = f"535 no: {sent} {base64.b64decode(sent).decode()}\r\n".encode()
                    encrypted.sendall(answer)

    @staticmethod
    def _line(connection: socket.socket) -> str:
        line = b""
        while not line.endswith(b"\n"):
            octet = connection.recv(1)
            if not octet:
                raise ConnectionError("the client has gone")
            line += octet
        return line.decode("latin-1").rstrip("\r\n")


@contextmanager
def impostor(chain: Path, key: Path, address: str = "127.0.0.1", port: int = 0) -> Iterator[Impostor]:
    """Have somebody answer with this certificate, chain and key."""
    made = Impostor(chain, key, address, port)
    try:
        yield made
    finally:
        made.close()
