# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The controller's side of recipient_routes: directory files become one text for the server.

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import told
from ansible_collections.mailops.split_domain.plugins.module_utils.map.directory_bulk import compile_source


class ActionModule(ActionBase):
    """Read ``src`` where it is, then run the module of the same name with it on the server."""

    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task; a fault in a directory fails it before anything is sent to the server."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        try:
            if arguments.get("src"):
                arguments["content"] = compile_source(arguments, lambda path: self._find_needle("files", path))
        except (SplitDomainError, AnsibleError) as error:
            return {**result, "failed": True, "msg": told(error, arguments)}
        return {**result, **self._execute_module(module_args=arguments, task_vars=task_vars)}
