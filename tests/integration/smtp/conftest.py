# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of smtp_probe share: one Postfix for all of them.

from __future__ import annotations

from collections.abc import Iterator

import pytest
from receiving_postfix import Postfix, started_postfix


@pytest.fixture(scope="session")
def postfix() -> Iterator[Postfix]:
    with started_postfix() as running:
        yield running
