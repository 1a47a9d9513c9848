# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The tests' network with a name server of its own, which its hosts other than the machine itself ask.

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ctypes import CDLL, get_errno
from dataclasses import replace
from pathlib import Path

from named_server import ADDRESS, Zone, started_named
from split_network import Network

CLONE_NEWNS = 0x00020000


@contextmanager
def network_with_names(network: Network, zones: Mapping[str, Zone]) -> Iterator[Network]:
    """Give the network, its namespace asking a name server for these zones, and for all else in vain."""
    with tempfile.NamedTemporaryFile("w", prefix="resolv-") as resolvers:
        resolvers.write(f"nameserver {ADDRESS}\n")
        resolvers.flush()
        Path(resolvers.name).chmod(0o644)
        with ThreadPoolExecutor(1, initializer=_ask, initargs=(resolvers.name,)) as asking:
            # A thread begins in the network of the one that starts it.
            network.elsewhere.submit(asking.submit, int).result().result()
            name_server = started_named(zones, port=53)
            asking.submit(name_server.__enter__).result()
            try:
                yield replace(network, elsewhere=asking)
            finally:
                asking.submit(name_server.__exit__, None, None, None).result()


def _ask(resolvers: str) -> None:
    """Let the calling thread, and what it starts, alone see another list of resolvers (unshare(2), mount(8))."""
    if CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(get_errno(), "unshare")
    for arguments in (["--make-rprivate", "/"], ["--bind", resolvers, "/etc/resolv.conf"]):
        subprocess.run(["mount", *arguments], check=True, capture_output=True)
