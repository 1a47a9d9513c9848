# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# One plan on one Postfix instance: made and carried out under its lock. Private to this collection.

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import MailServerMissing
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Plan
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    read_server,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Outcome


def carry_out_on(config_directory: str, plan_of: Callable[[PostfixServer], Plan], check_mode: bool) -> Outcome:
    """Read the instance, plan with ``plan_of(server)`` and, but for check mode, apply what was planned.

    In check mode a machine without Postfix is no failure: the run would come after its installation.
    """
    try:
        with server_lock(config_directory):
            plan = plan_of(read_server(config_directory))
            if not check_mode:
                plan.apply()
    except MailServerMissing:
        if check_mode:
            return Outcome(changed=True, values={"installed": False})
        raise
    return Outcome(bool(plan.steps), {"installed": True, **plan.values}, plan.diffs, plan.warnings)
