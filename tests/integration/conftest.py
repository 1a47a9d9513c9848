# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The order of the integration tests: files that take long come early, so that none is left alone at the end of a run.

from __future__ import annotations

import pytest

# Files of more than a minute (the table at the end of a run tells), the longest first.
LONG = (
    "test_interrupted_site.py",
    "test_examples.py",
    "test_interrupted_changes.py",
    "test_interrupted_split.py",
    "test_interrupted_modes.py",
    "test_mx_large.py",
    "test_pages.py",
    "test_moved_copies.py",
    "test_interrupted_laid_over.py",
    "test_verified_peers.py",
    "test_routes.py",
    "test_mx_publication.py",
)
# Each process has a file and another one behind it from the start: behind one of the first six comes a short one.
PROCESSES = 6


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files that take long to the front, with short ones between; all others stay as they were."""
    short = list(dict.fromkeys(item.path.name for item in items if item.path.name not in LONG))
    order = (*LONG[:PROCESSES], *short[:PROCESSES], *LONG[PROCESSES:], *short[PROCESSES:])
    rank = {name: number for number, name in enumerate(order)}
    items.sort(key=lambda item: rank[item.path.name])
