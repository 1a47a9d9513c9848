# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: what needs no dnspython imports it, too. The resolvers that this host uses. Private.

from __future__ import annotations

from pathlib import Path

# resolv.conf(5): so many are used, and the host itself when there is none.
_RESOLV_CONF = "/etc/resolv.conf"
_MOST_RESOLVERS = 3
_ITSELF = "127.0.0.1"


def resolvers_of_this_host(path: str = _RESOLV_CONF) -> tuple[str, ...]:
    """Give the addresses of the resolvers that this host uses, as resolv.conf(5) has them."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    found = [line[1] for line in words if len(line) > 1 and line[0] == "nameserver"]
    return tuple(found[:_MOST_RESOLVERS]) or (_ITSELF,)
