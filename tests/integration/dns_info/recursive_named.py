# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A real recursive resolver for tests: named as a child process that knows no other root than the tests' own.

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from named_server import ADDRESS, Named, free_port, wait_until_it_answers


@contextlib.contextmanager
def started_resolver(root_server: str, extra: str = "") -> Iterator[Named]:
    """Start named as a resolver that begins at a root server's address, and give it when it answers."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="resolver-"))
    folder.chmod(0o755)
    (folder / "root.hints").write_text(f". 3600 NS ns1.\nns1. 3600 A {root_server}\n", encoding="utf-8")
    (folder / "named.conf").write_text(
        f'options {{ directory "{folder}"; listen-on {{ {ADDRESS}; }}; listen-on-v6 {{ none; }}; recursion yes; '
        f"allow-recursion {{ any; }}; empty-zones-enable no; pid-file none; session-keyfile none; "
        f'dnssec-validation no; managed-keys-directory "{folder}"; {extra} }};\ncontrols {{ }};\n'
        'zone "." { type hint; file "root.hints"; };\n',
        encoding="utf-8",
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/usr/sbin/named", "-4", "-g", "-c", str(folder / "named.conf"), "-p", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    named = Named(ADDRESS, port, folder, process)
    try:
        wait_until_it_answers(named, ".")
        yield named
    finally:
        if process.poll() is None:
            named.stop()
        shutil.rmtree(folder)
