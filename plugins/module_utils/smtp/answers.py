# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What is asked of a server at RCPT, what it answers, and whether that was expected; pure. Private to this collection.

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput, SplitDomainError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import ACCEPTED, DEFERRED, REFUSED
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import kind_of, shown

VERDICTS = (ACCEPTED, REFUSED, DEFERRED)
# RFC 5321 section 4.2.1: the first digit decides.
SUCCESS, TRANSIENT, PERMANENT = 2, 4, 5
TOO_MUCH = 552
TOO_MANY_RECIPIENTS = ".5.3"  # RFC 3463 section 3.6
_VERDICT_OF_FIRST_DIGIT = {SUCCESS: ACCEPTED, TRANSIENT: DEFERRED, PERMANENT: REFUSED}
_ENHANCED_CODE = re.compile(r"([245])\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|$)")  # RFC 3463 section 2
_REPLY_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)  # RFC 5321 section 4.2
_MAX_TEXT = 500
_MAX_PATH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
# RFC 5321 section 4.1.2, without white space in quoted local parts: nobody has it, and injections need it.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_QUOTED_STRING = r'"(?:[!\x23-\x5b\x5d-\x7e]|\\[!-~])*"'
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|{_QUOTED_STRING}")
_ADDRESS_LITERAL = re.compile(r"\[[0-9A-Fa-f.:IPv]+\]")


class UnexpectedAnswer(SplitDomainError):
    """A server answered otherwise than the task expects; the text names every such recipient."""


@dataclass(frozen=True)
class SmtpReply:
    """One reply of an SMTP server: its code and the text of its lines, without the code."""

    code: int
    text: str

    def __str__(self) -> str:
        """Write it as the server said it, in one line."""
        return f"{self.code} {self.text}".rstrip()

    @property
    def is_success(self) -> bool:
        """Whether the server says yes: the first digit is 2 (RFC 5321 section 4.2.1)."""
        return self.code // 100 == SUCCESS

    @property
    def enhanced(self) -> str | None:
        """The enhanced status code at the beginning of the text (RFC 2034), or None when there is no fitting one."""
        match = _ENHANCED_CODE.match(self.text)
        return match.group() if match and int(match.group(1)) == self.code // 100 else None

    def as_result(self) -> dict[str, Any]:
        """Give it in the shape that the module returns."""
        enhanced = self.enhanced
        text = self.text[len(enhanced) :].lstrip() if enhanced else self.text
        return {"code": self.code, "enhanced": enhanced, "text": text}


@dataclass(frozen=True)
class RcptAnswer:
    """What a server says to one recipient."""

    address: str
    reply: SmtpReply

    @property
    def verdict(self) -> str:
        """Accepted, refused or deferred; a code that RCPT must not give (3yz) is no yes and so counts as deferred."""
        return _VERDICT_OF_FIRST_DIGIT.get(self.reply.code // 100, DEFERRED)

    @property
    def may_be_due_to_others(self) -> bool:
        """Whether the server may mean how many or which recipients the transaction has, and not this recipient.

        It says 452 for that, or 552 if it is old (RFC 5321 section 4.5.3.1.10), or any temporary code: some take only
        recipients of one domain at a time.
        """
        enhanced = self.reply.enhanced or ""
        return self.verdict == DEFERRED or self.reply.code == TOO_MUCH or enhanced.endswith(TOO_MANY_RECIPIENTS)

    def as_result(self) -> dict[str, Any]:
        """Give it in the shape that the module returns."""
        return {"address": self.address, **self.reply.as_result(), "verdict": self.verdict}


@dataclass(frozen=True)
class RcptQuestion:
    """One recipient that a server is asked about, with the verdict that the user expects, if any."""

    address: str
    expect: str | None = None


def parse_reply_line(line: bytes) -> tuple[int, bool, str] | None:
    """Give code, whether this is the last line, and text of one line of a reply; None when it is no reply at all.

    Whatever is not printable is shown as a replacement character, so that a server cannot write on a terminal.
    """
    match = _REPLY_LINE.fullmatch(line.rstrip(b"\r\n"))
    if match is None:
        return None
    text = (match.group(3) or b"").decode("utf-8", errors="replace")
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return int(match.group(1)), match.group(2) != b"-", printable.strip()


def join_reply(code: int, lines: Sequence[str]) -> SmtpReply:
    """Make one reply of the lines of a multi-line one.

    Servers repeat the enhanced code in every line (RFC 2034 section 4); it is kept once. Long texts are cut.
    """
    first = _ENHANCED_CODE.match(lines[0]) if lines else None
    repeated = f"{first.group()} " if first else None
    words = [
        line[len(repeated) :] if number and repeated and line.startswith(repeated) else line
        for number, line in enumerate(lines)
    ]
    return SmtpReply(code, " ".join(filter(None, words))[:_MAX_TEXT])


def parse_path(text: str, what: str) -> str:
    """Check an address for MAIL or RCPT and give it as it goes over the wire, without angle brackets.

    The local part stays as it is written, since a probe may ask just for its case; a domain with non-ASCII characters
    becomes A-labels. ``postmaster`` may stand alone (RFC 5321 section 4.1.1.3). ``what`` names the address in messages.
    Raises InvalidInput.
    """
    address = text.strip(" \t")
    if address.lower() == "postmaster":
        return address
    local_part, at_sign, domain = address.rpartition("@")
    if not at_sign or not local_part or not domain:
        raise InvalidInput(f"{what} {text!r} is not a mail address: write it as user@example.com")
    if domain != domain.strip():
        raise InvalidInput(f"{what} {text!r} has white space before its domain: remove it")
    if not local_part.isascii():
        raise InvalidInput(
            f"{what} {text!r} has a non-ASCII local part, which needs SMTPUTF8 (RFC 6531): write an ASCII address"
        )
    if not _LOCAL_PART.fullmatch(local_part):
        raise InvalidInput(
            f"{what} {text!r} has a local part that RFC 5321 does not allow on the wire (white space, control "
            "characters, angle brackets, misplaced dots): correct it"
        )
    if not _ADDRESS_LITERAL.fullmatch(domain):
        canonical = canonical_domain(domain)
        domain = domain if domain.isascii() else canonical
    if len(f"{local_part}@{domain}") > _MAX_PATH:
        raise InvalidInput(f"{what} {text!r} is longer than {_MAX_PATH} characters (RFC 5321): shorten it")
    return f"{local_part}@{domain}"


def parse_sender(text: str) -> str:
    """Check the envelope sender and give it without angle brackets; the null sender ``<>`` becomes the empty string."""
    bare = text.strip(" \t")
    if bare.startswith("<") and bare.endswith(">"):
        bare = bare[1:-1]
    return parse_path(bare, "the sender") if bare else ""


def parse_questions(entries: Sequence[Any]) -> tuple[RcptQuestion, ...]:
    """Read the option ``recipients``: addresses, or dictionaries of ``address`` and ``expect``. Raises InvalidInput."""
    if not entries:
        raise InvalidInput("'recipients' is empty, so nothing would be asked: name at least one address")
    return tuple(_parse_question(entry) for entry in entries)


def _parse_question(entry: Any) -> RcptQuestion:
    if isinstance(entry, str):
        return RcptQuestion(parse_path(entry, "the recipient"))
    if not isinstance(entry, dict) or not isinstance(entry.get("address"), str) or set(entry) - {"address", "expect"}:
        raise InvalidInput(
            f"the entry {shown(entry)} of 'recipients' cannot be read: write an address, or a dictionary of 'address' "
            "and 'expect'"
        )
    expect = entry.get("expect")
    if expect is not None and expect not in VERDICTS:
        raise InvalidInput(
            f"the recipient {entry['address']!r} has expect {kind_of(expect, VERDICTS)}: "
            f"choose one of {', '.join(VERDICTS)}"
        )
    return RcptQuestion(parse_path(entry["address"], "the recipient"), expect)


def check_expectations(server: str, questions: Sequence[RcptQuestion], answers: Sequence[RcptAnswer]) -> None:
    """Compare the answers with the expected verdicts, pair by pair; raises UnexpectedAnswer naming all that differ."""
    differences = [
        f"{question.address} should be {question.expect} but is {answer.verdict} ({answer.reply})"
        for question, answer in zip(questions, answers)
        if question.expect is not None and answer.verdict != question.expect
    ]
    if differences:
        raise UnexpectedAnswer(f"{server} does not answer as expected: {'; '.join(differences)}")
