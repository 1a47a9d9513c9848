# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The documentation of what every module that changes something can do.

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of modules with full check mode and diff."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and tells exactly what a run would do, without changing anything.
    support: full
  diff_mode:
    description: Shows what is changed when run with C(--diff); of large tables, the changed lines.
    support: full
  action_group:
    description: Use C(group/mailops.split_domain.split_domain) in C(module_defaults) for all modules of the collection.
    support: full
    membership:
      - mailops.split_domain.split_domain
"""
