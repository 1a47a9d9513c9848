# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: route_info and mail servers both use it. What a trace is asked for, and what it gives. Pure. Private.

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TraceRequest:
    """The addresses to follow."""

    addresses: tuple[str, ...]
    sender: str | None
    """The envelope sender of the mail; empty for the null sender, None when it does not matter."""


@dataclass(frozen=True)
class TracedRoutes:
    """What was found out about each address, as the module returns it, in the order of the request."""

    addresses: list[dict[str, Any]]
    warnings: tuple[str, ...]
