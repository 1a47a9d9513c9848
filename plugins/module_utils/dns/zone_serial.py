# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The serial of a zone that is to rise. Pure. Private to this collection.

from __future__ import annotations

from datetime import datetime

# RFC 1982 section 3.1, with the 32 bits of a zone's serial.
_MODULUS = 2**32
_LARGEST_STEP = 2**31 - 1
# Of a serial in the form YYYYMMDDnn; a day beyond 31 comes of more than a hundred changes at the end of a month.
_YEARS = range(1980, 2100)
_MONTHS = range(1, 13)
_DAYS = range(1, 40)
# Seconds since 1970 in September 2001: a smaller serial counts changes.
_FIRST_UNIX_TIME = 10**9
_DAY = 86400


def is_later(serial: int, other: int) -> bool:
    """Tell whether secondaries take ``serial`` for later than ``other`` (RFC 1982 section 3.2)."""
    return 0 < (serial - other) % _MODULUS <= _LARGEST_STEP


def next_serial(serial: int, now: datetime) -> int:
    """Give the serial that follows, in the form that the zone has.

    The form YYYYMMDDnn becomes today's date with nn = 00, and seconds since 1970 become the present second, where that
    is later; every other serial grows by one, as these do then. Never 0, which some servers take for no serial.
    """
    following = (serial + 1) % _MODULUS or 1
    candidate = following
    if _is_date(serial):
        candidate = (now.year * 10000 + now.month * 100 + now.day) * 100
    elif _FIRST_UNIX_TIME <= serial <= now.timestamp() + _DAY:
        candidate = int(now.timestamp())
    return candidate if is_later(candidate, serial) else following


def _is_date(serial: int) -> bool:
    year, rest = divmod(serial, 10**6)
    month, rest = divmod(rest, 10**4)
    return year in _YEARS and month in _MONTHS and rest // 100 in _DAYS
