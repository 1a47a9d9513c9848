# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs of email_routing on a server of the tests.

from __future__ import annotations

from typing import Any

from split_server import SplitServer

# Modes that need no DNS look there all the same. Tests ask no resolver that they did not start.
NO_RESOLVER: dict[str, Any] = {"resolver": ["127.0.0.1"], "resolver_port": 9}


def route(server: SplitServer, *domains: dict[str, Any], check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run email_routing, which must succeed."""
    result = server.run("email_routing", check=check, domains=list(domains), **{**NO_RESOLVER, **arguments})
    assert not result.get("failed"), result["msg"]
    return result


def refusal(server: SplitServer, *domains: dict[str, Any], **arguments: Any) -> str:
    """Give the sentence with which email_routing refuses a task; nothing may be written."""
    before = {path: path.read_bytes() for path in sorted(server.config.rglob("*")) if path.is_file()}
    result = server.run("email_routing", domains=list(domains), **{**NO_RESOLVER, **arguments})
    assert result.get("failed"), result
    assert {path: path.read_bytes() for path in sorted(server.config.rglob("*")) if path.is_file()} == before
    return str(result["msg"])


def effective(result: dict[str, Any]) -> dict[str, str | None]:
    """Give the mode that each domain came to have."""
    return {entry["domain"]: entry["effective"] for entry in result["domains"]}
