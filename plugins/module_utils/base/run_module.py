# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: no other file may import Ansible. The frame of every module: arguments in, result or failure out.

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import sanitize_keys

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError, sentence
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import HIDDEN, as_written, secrets_in

FindSecrets = Callable[[Mapping[str, Any]], Mapping[str, Iterable[str]]]
"""Gives the options of a task that hold secrets besides those that their spec marks, and all texts in them."""


class _Module(AnsibleModule):
    """An Ansible module that hides what may be a secret wherever it stands in its arguments.

    Ansible hides what an argument spec marks. What stands under a key that the spec does not have, or in a text that is
    for something else, would be in its results, in the server's log, and in what it says of the wrong argument.
    """

    params: dict[str, Any]
    argument_spec: dict[str, Any]

    def __init__(self, find_secrets: FindSecrets, **arguments: Any) -> None:
        self._find_secrets = find_secrets
        self._hidden: list[str] = []
        super().__init__(**arguments)

    def _load_params(self) -> None:
        """Read the arguments; before anything else is done with them, what they hold becomes what Ansible hides."""
        super()._load_params()
        self.no_log_values.update(secrets_in(self.params, self.argument_spec))
        for name, texts in self._find_secrets(self.params).items():
            self._hidden.append(name)
            self.no_log_values.update(as_written(texts))

    def _log_invocation(self) -> None:
        """Keep these options out of the system's log, too.

        They are not marked before that: Ansible would hide a value of one letter in every word of the result.
        """
        hidden = {name: {**self.argument_spec[name], "no_log": True} for name in self._hidden}
        self.argument_spec = {**self.argument_spec, **hidden}
        super()._log_invocation()

    def _return_formatted(self, kwargs: dict[str, Any]) -> None:
        """Show the arguments beside a result; of mappings in them Ansible hides values alone, and this keys as well."""
        self.params = {**self.params, **dict.fromkeys(self._hidden, HIDDEN)}
        self.params = sanitize_keys(self.params, self.no_log_values, frozenset(self.argument_spec))
        super()._return_formatted(kwargs)


Work = Callable[[dict[str, Any], bool], Outcome]


def run_module(
    argument_spec: dict[str, Any], work: Work, find_secrets: FindSecrets = lambda _arguments: {}, **restrictions: Any
) -> None:
    """Run ``work(params, check_mode)`` as an Ansible module; the only place where a failure becomes ``fail_json``.

    ``find_secrets`` finds in the arguments, as the user wrote them, what is secret besides what their spec tells.
    ``restrictions`` are AnsibleModule's own (``required_together``, ``mutually_exclusive``, ...).
    """
    module = _Module(find_secrets, argument_spec=argument_spec, supports_check_mode=True, **restrictions)
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
