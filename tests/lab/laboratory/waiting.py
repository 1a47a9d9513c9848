# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Waiting for something with a deadline.
"""Waiting, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from laboratory.description import LabError

Result = TypeVar("Result")


def wait_until(what: str, probe: Callable[[], Result], seconds: float, pause: float = 0.3) -> Result:
    """Call ``probe`` until it gives something true and give that.

    ``LabError`` names ``what`` did not happen within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() >= deadline:
            raise LabError(f"waited {seconds:g} seconds in vain: {what}")
        time.sleep(pause)
