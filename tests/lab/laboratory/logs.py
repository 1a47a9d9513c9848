# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The logs of the laboratory's hosts, from a mark on.
"""Log lines since a mark."""

from __future__ import annotations

from laboratory.podman import run_in


def mark_log(host: str) -> str:
    """Give a mark for this moment of the host's log."""
    shown = run_in(host, "journalctl", "--lines=1", "--show-cursor", "--quiet", "--output=cat").out
    return shown.rsplit("-- cursor: ", 1)[-1].strip()


def log_since(host: str, mark: str, program: str = "") -> list[str]:
    """Give the lines ``program[pid]: text`` that were logged after the mark; only those of programs named so."""
    run_in(host, "journalctl", "--sync", check=False)
    lines = run_in(host, "journalctl", f"--after-cursor={mark}", "--quiet", "--output=short").out.splitlines()
    # "Nov 21 01:55:39 host program[pid]: text"
    texts = [line.split(" ", 4)[-1] if line[4:5] != " " else line.split(None, 4)[-1] for line in lines]
    return [text for text in texts if text.startswith(program)]


def reloads_since(host: str, mark: str) -> int:
    """Count how often Postfix was reloaded or (re)started since the mark, by its master's own words."""
    lines = log_since(host, mark, "postfix/master[")
    return sum("reload " in line or "daemon started" in line for line in lines)


def mx_lookups_since(name_server: str, mark: str, client: str, domain: str) -> int:
    """Count how often the client address asked the name server for the MX records of ``domain`` since the mark."""
    lines = log_since(name_server, mark, "named[")
    return sum(f" {client}#" in line and f"query: {domain} IN MX" in line for line in lines)
