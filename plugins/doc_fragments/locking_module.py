# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The documentation of the option of every module that keeps other runs away while it works.

from __future__ import annotations


class ModuleDocFragment:
    """How long a module waits for another run of the collection."""

    DOCUMENTATION = r"""
options:
  lock_timeout:
    description:
      - How many seconds to wait for another run of this collection that changes the same files. After that the task
        fails and names the process of the other run. V(0) does not wait.
      - Tasks of different users do not wait for each other.
    type: float
    default: 30.0
"""
