# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The failures of the collection: one type per kind. Private to this collection.

from __future__ import annotations

from typing import Any


class SplitDomainError(Exception):
    """The base of all failures. Its text is one sentence for the user: the thing, what is wrong, what to do."""

    def details(self) -> dict[str, Any]:
        """Give what a module returns beside the sentence, for tasks that go on with it; nothing as a rule."""
        return {}


class InvalidInput(SplitDomainError):
    """A value that the user wrote cannot be used. Nothing was written."""


class ServerStateError(SplitDomainError):
    """The managed server is in a state that the request does not fit. Nothing was written."""


class MailServerMissing(ServerStateError):
    """There is no mail server on this machine yet."""


class CommandFailed(SplitDomainError):
    """A command of the mail server failed; the text holds the command and the first lines of what it said."""
