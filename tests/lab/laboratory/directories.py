# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The directories of the split domain, written from the mailboxes that the hosts have.
"""Directories (CSV files of address and site) for the split maps of the laboratory."""

from __future__ import annotations

from pathlib import Path

from laboratory.description import Description
from laboratory.expectations import CLOUD, DOMAIN, HQ, SITE_NAMES
from laboratory.podman import STATE_FOLDER

DIRECTORIES = STATE_FOLDER / "directories"
# Users that have a mailbox and are in no common directory, so that only call-ahead finds them.
UNLISTED = (f"grace@{DOMAIN}",)


def write_directories(description: Description) -> Path:
    """Write ``example.com.csv`` (all listed users), ``only-cloud-knows.csv``, ``hq.csv`` and ``cloud.csv``."""
    users = {
        mailbox: SITE_NAMES[host]
        for host in (HQ, CLOUD)
        for mailbox in description.host(host).mailboxes
        if mailbox.endswith(f"@{DOMAIN}")
    }
    DIRECTORIES.mkdir(parents=True, exist_ok=True)
    listed = {address: site for address, site in users.items() if address not in UNLISTED}
    _write(f"{DOMAIN}.csv", ["address,site", *(f"{address},{site}" for address, site in sorted(listed.items()))])
    _write("only-cloud-knows.csv", ["address", *UNLISTED])
    for site in (SITE_NAMES[HQ], SITE_NAMES[CLOUD]):
        _write(f"{site}.csv", ["address", *sorted(address for address, lives in users.items() if lives == site)])
    return DIRECTORIES


def _write(name: str, lines: list[str]) -> None:
    path = DIRECTORIES / name
    text = "\n".join(lines) + "\n"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
