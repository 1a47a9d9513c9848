# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The frame of every module: arguments in, one call, result or failure out. Private to this collection.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import SplitDomainError, sentence
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Outcome

Work = Callable[[dict[str, Any], bool], Outcome]


def run_module(argument_spec: dict[str, Any], work: Work, **restrictions: Any) -> None:
    """Run ``work(params, check_mode)`` as an Ansible module; the only place where a failure becomes ``fail_json``.

    ``restrictions`` are AnsibleModule's own (``required_together``, ``mutually_exclusive``, ...).
    """
    module = AnsibleModule(argument_spec=argument_spec, supports_check_mode=True, **restrictions)
    try:
        outcome = work(module.params, module.check_mode)
    except SplitDomainError as error:
        module.fail_json(msg=str(error), **error.details())
    for warning in outcome.warnings:
        module.warn(sentence(warning))
    module.exit_json(
        changed=outcome.changed,
        diff=[diff.as_ansible() for diff in outcome.diffs],
        **outcome.values,
    )
