# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of serials: they rise as secondaries count, and keep their form.

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.zone_file.edit import is_later, next_serial

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
SECONDS = int(NOW.timestamp())


@given(st.integers(0, 2**32 - 1))
def test_the_next_serial_is_later_and_never_zero(serial):
    following = next_serial(serial, NOW)
    assert is_later(following, serial) and not is_later(serial, following)
    assert 0 < following < 2**32


@pytest.mark.parametrize(
    ("serial", "following"),
    [
        (1, 2),
        (2026112000, 2026112100),
        (2026112100, 2026112101),
        (2026112199, 2026112200),
        (2019020155, 2026112100),
        (2027010100, 2027010101),
        (2026103200, 2026112100),
        (SECONDS - 5000, SECONDS),
        (SECONDS, SECONDS + 1),
        (SECONDS + 50, SECONDS + 51),
        (999999999, 1000000000),
        (4294967295, 1),
        (4294967294, 4294967295),
    ],
)
def test_each_form_of_a_serial_is_kept(serial, following):
    assert next_serial(serial, NOW) == following
