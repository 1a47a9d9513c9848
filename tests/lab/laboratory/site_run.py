# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Running the collection's site playbook on the laboratory, as a user would.
"""Runs of ``mailops.split_domain.site`` on the laboratory."""

from __future__ import annotations

from pathlib import Path

from laboratory.description import LAB_FOLDER
from laboratory.inventory import INVENTORY
from laboratory.playbook_run import PlaybookRun, ansible_playbook, run_playbook

PLAYBOOK = "mailops.split_domain.site"


def map_folder(form: str) -> Path:
    """Give the inventory folder with the split map of that form."""
    return LAB_FOLDER / "maps" / form


def site_command(split_map: Path, *arguments: str) -> list[str]:
    """Give the command line that a user would type for the site playbook with the split map in that folder.

    The split map comes first: the folder of a host's first inventory is where its directories are looked for.
    """
    return ansible_playbook(PLAYBOOK, "-i", str(split_map / "hosts.yml"), "-i", str(INVENTORY), *arguments)


def run_site(split_map: Path, *arguments: str) -> PlaybookRun:
    """Run the site playbook; ``LabError`` with what failed where a task failed."""
    return run_playbook(site_command(split_map, *arguments))
