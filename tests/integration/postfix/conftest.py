# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What the tests of the Postfix modules share: an instance for each of them.

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from postfix_instance import Instance, configured_instance


@pytest.fixture
def instance() -> Iterator[Instance]:
    """Give a configured Postfix instance that does not run yet."""
    if os.geteuid() != 0:
        pytest.skip("a Postfix instance can only be run by root")
    with configured_instance() as created:
        yield created
