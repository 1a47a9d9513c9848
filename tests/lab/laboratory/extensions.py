# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Messages that need an SMTP extension: how they are sent, and how one sees that none of it was lost on the way.
"""Messages of the laboratory that use one of SMTP's extensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from laboratory.sending import Outgoing

# Letters that a server without the extension has to encode, or to refuse.
WORDS = "Grüße aus Köln"


@dataclass(frozen=True)
class Extension:
    """What the client says at MAIL and at RCPT, and what it puts into subject and body."""

    at_mail: tuple[str, ...] = ()
    at_rcpt: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""


# RFC 6152; RFC 6531, section 3.6; RFC 3461, section 4.1.
EXTENSIONS: Mapping[str, Extension] = {
    "": Extension(),
    "8BITMIME": Extension(at_mail=("BODY=8BITMIME",), body=WORDS),
    "SMTPUTF8": Extension(at_mail=("SMTPUTF8", "BODY=8BITMIME"), subject=WORDS, body=WORDS),
    "DSN": Extension(at_rcpt=("NOTIFY=SUCCESS",)),
}


def extended(message: Outgoing, name: str) -> Outgoing:
    """Give the message as one that uses the extension of that name, or none."""
    extension = EXTENSIONS[name]
    return replace(
        message,
        subject=f"{message.subject} {extension.subject}".strip(),
        body=extension.body or message.body,
        at_mail=extension.at_mail,
        at_rcpt=extension.at_rcpt,
    )


def is_unharmed(name: str, text: str) -> bool:
    """Tell whether the text of a message that came in still has, letter by letter, what the extension let through."""
    extension = EXTENSIONS[name]
    head, _empty, body = text.partition("\n\n")
    return extension.subject in head and extension.body in body
