# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: every other file imports it. The failures of the collection, one type per kind. Private.

from __future__ import annotations

from typing import Any

# A sentence repeats what a user, a file or a server gave, which may be of any length and hold anything.
LONGEST_SENTENCE = 500
_LONGEST_END = 200


def sentence(text: str) -> str:
    """Give a sentence for the user: of bounded length, its middle left out, and with nothing that does not print.

    Control characters, and those that turn the direction of writing, are shown as Python writes them.
    """
    if not text.isprintable():
        text = "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    if len(text) > LONGEST_SENTENCE:
        beginning, end = text[: LONGEST_SENTENCE - _LONGEST_END], text[-_LONGEST_END:]
        text = f"{beginning} [... {len(text) - LONGEST_SENTENCE} characters ...] {end}"
    return text


class SplitDomainError(Exception):
    """The base of all failures. Its text is one sentence for the user: the thing, what is wrong, what to do."""

    def __str__(self) -> str:
        """Give the sentence, however long what it repeats is."""
        return sentence(super().__str__())

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
