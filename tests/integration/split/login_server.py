# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Who asks smtpd(8) of the tests whether a login is right: a server of Dovecot's authentication protocol.

from __future__ import annotations

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GREETING = (
    "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\n"
    "COOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"
)


@contextmanager
def login_server(socket: Path, username: str, password: str) -> Iterator[None]:
    """Answer at a socket that the user is known by this password, and nobody else."""

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(GREETING.encode())
            for line in self.rfile:
                command, *fields = line.decode().rstrip("\n").split("\t")
                if command != "AUTH":
                    continue
                given = next((field[5:] for field in fields if field.startswith("resp=")), "")
                is_right = base64.b64decode(given) == f"\0{username}\0{password}".encode()
                answer = f"OK\t{fields[0]}\tuser={username}\n" if is_right else f"FAIL\t{fields[0]}\n"
                self.wfile.write(answer.encode())

    with socketserver.ThreadingUnixStreamServer(str(socket), Conversation) as server:
        server.daemon_threads = True
        # smtpd(8) is another user.
        socket.chmod(0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
    socket.unlink()
