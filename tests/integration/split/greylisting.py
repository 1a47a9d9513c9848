# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A policy server that puts everybody off who is judged, as a greylisting service does at the first time.

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            # SMTPD_POLICY_README: an empty line ends a request.
            if line == b"\n":
                self.wfile.write(b"action=450 4.2.0 greylisted\n\n")


@contextmanager
def greylisting(socket: Path) -> Iterator[str]:
    """Give the restriction that asks such a server."""
    with socketserver.ThreadingUnixStreamServer(str(socket), _Conversation) as server:
        server.daemon_threads = True
        # smtpd(8) is another user.
        socket.chmod(0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"check_policy_service unix:{socket}"
        finally:
            server.shutdown()
    socket.unlink()
