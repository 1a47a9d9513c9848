# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The order of the integration tests: files that take long come first, so that none is left alone at the end of a run.

from __future__ import annotations

import pytest

# Files of more than a minute, the longest first (the table at the end of a run tells).
LONGEST_FIRST = (
    "test_interrupted_site.py",
    "test_examples.py",
    "test_interrupted_split.py",
    "test_moved_copies.py",
    "test_interrupted_changes.py",
    "test_mx_large.py",
    "test_interrupted_modes.py",
    "test_verified_peers.py",
    "test_pages.py",
    "test_interrupted_laid_over.py",
    "test_routes.py",
    "test_mx_publication.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files that take long to the front; all others stay as they were."""
    rank = {name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))
