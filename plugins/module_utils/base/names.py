# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Mail domains, host names and DNS owner names: checked and brought to one form. Private to this collection.

from __future__ import annotations

import ipaddress
import re
import stringprep
import unicodedata
from encodings import idna

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.secrecy import HIDDEN, host_without_secrets
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import quoted

MAX_LABEL = 63
# RFC 1035 section 2.3.4 counts 255 octets on the wire: the length bytes and the root label leave 253 characters.
MAX_NAME = 253
# So much of a name is shown in messages, which is more than most names have.
MAX_SHOWN = 100
_LDH = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_OWNER_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
# RFC 5895 section 2: this is a dot as well. Its narrow and wide forms are not, as no other such form is a character.
_IDEOGRAPHIC_DOT = "\u3002"
# IDNA2003 (all that the standard library knows) changes these four to something else, IDNA2008 keeps them: the two
# standards give two different domains, and guessing would send mail to a stranger.
_DEVIATIONS = "\u00df\u03c2\u200c\u200d"
# RFC 5892: what IDNA2008 allows in a label, as Unicode categories, and the few signs it allows besides.
_ALLOWED_CATEGORIES = ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd")
_ALLOWED_SIGNS = "\u00b7\u0375\u05f3\u05f4\u30fb"
# RFC 5892 section 2.6: allowed or not against what their categories say; U+06FD and others are among the signs.
_ALLOWED_BESIDES = "\u06fd\u06fe\u0f0b\u3007"
# RFC 5892 sections 2.3, 2.4, 2.6 and 2.9: letters and marks by their categories that are not allowed all the same.
_NOT_ALLOWED = re.compile(
    # Nobody sees them (Default_Ignorable_Code_Point, as far as their categories are those of letters and marks).
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
    # Marks for symbols and music.
    "\u20d0-\u20ff\U0001d100-\U0001d1ff\U0001d200-\U0001d24f"
    # Parts of Hangul syllables (OldHangulJamo).
    "\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7c6\ud7cb-\ud7fb"
    # Exceptions, one by one: what stretches or repeats other letters, and tone marks.
    "\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]"
)
_A_LABEL = "xn--"


def is_ip_address(text: str) -> bool:
    """Tell whether ``text`` is an IPv4 or IPv6 address, written bare (no brackets, no prefix length, no zone).

    The zone of RFC 4007 (``fe80::1%eth0``) means something on one machine only, and Python takes any characters in it.
    """
    if "%" in text:
        return False
    try:
        ipaddress.ip_address(text.strip(" \t"))
    except ValueError:
        return False
    return True


def canonical_domain(text: str) -> str:
    """Give a mail domain as A-labels in lower case without a trailing dot (RFC 5321 section 2.3.5).

    Raises InvalidInput for anything that is not a domain name, for an IP address and for an address literal.
    """
    return _canonical(text, "mail domain", _LDH)


def canonical_host(text: str) -> str:
    """Give a host name as A-labels in lower case without a trailing dot (RFC 1123 section 2.1).

    Raises InvalidInput for anything that is not a host name, and for an IP address.
    """
    return _canonical(text, "host name", _LDH)


def canonical_zone(text: str) -> str:
    """Give the name of a DNS zone as A-labels in lower case without a trailing dot.

    Underscores are allowed, as in any DNS name. Raises InvalidInput for anything else that is no name.
    """
    return _canonical(text, "zone", _OWNER_LABEL)


def canonical_owner(text: str, zone: str | None = None) -> str:
    """Give the owner name of a DNS record as A-labels in lower case without a trailing dot.

    A name is absolute with and without a trailing dot. ``@`` is the apex of ``zone`` (a canonical name); the first
    label may be ``*`` (RFC 4592). Raises InvalidInput for anything else, for ``@`` without a zone and for a name
    outside the zone.
    """
    if text.strip(" \t") == "@":
        if zone is None:
            raise InvalidInput("the name '@' stands for the apex of a zone, but no zone is given: name the zone")
        return zone
    bare = text.strip(" \t")
    if bare.startswith("*."):
        owner = "*." + _canonical(bare[2:], "record name", _OWNER_LABEL, given=bare)
        if len(owner) > MAX_NAME:
            raise _invalid("record name", text, f"is longer than {MAX_NAME} characters", "shorten it")
    else:
        owner = _canonical(bare, "record name", _OWNER_LABEL)
    if zone is not None and not is_within(owner, zone):
        raise InvalidInput(
            f"the record name {quoted(text, MAX_SHOWN)} is not within the zone {zone}: "
            f"names without a trailing dot are absolute here, so write the whole name ({owner}.{zone}?)"
        )
    return owner


def is_within(name: str, zone: str) -> bool:
    """Tell whether a canonical name is the zone itself or lies below it; everything lies below the root, a dot."""
    return zone in (name, ".") or name.endswith("." + zone)


def parents(name: str) -> tuple[str, ...]:
    """Give a canonical name and all names above it, the longest first, without the root."""
    labels = name.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))


def _canonical(text: str, kind: str, pattern: re.Pattern[str], given: str | None = None) -> str:
    # There may be a password in it, as in a URL.
    shown = host_without_secrets(text if given is None else given)
    bare = text.strip(" \t").replace(_IDEOGRAPHIC_DOT, ".")
    _refuse_unprintable(bare, kind, shown)
    bare = bare[:-1] if bare.endswith(".") else bare
    if not bare:
        raise _invalid(kind, shown, "is empty", "write a full domain name")
    if is_ip_address(bare) or bare.startswith("["):
        raise _invalid(kind, shown, "is an IP address", "write a name that has an address record instead")
    labels = [_canonical_label(label, kind, shown, pattern) for label in bare.split(".")]
    name = ".".join(labels)
    if len(name) > MAX_NAME:
        raise _invalid(kind, shown, f"is longer than {MAX_NAME} characters", "shorten it")
    if labels[-1].isdigit():
        # RFC 1123 section 2.1: the top label is alphabetic, so that a name is never taken for an address.
        raise _invalid(kind, shown, "ends in a number, as an IP address does", "write a domain name")
    return name


def _canonical_label(label: str, kind: str, shown: str, pattern: re.Pattern[str]) -> str:
    if not label:
        raise _invalid(kind, shown, "has an empty label (two dots in a row, or a dot in front)", "remove the dot")
    # Any label that is longer is too long as an A-label, too: none has fewer characters than its U-label.
    if len(label) > MAX_LABEL:
        raise _invalid(kind, shown, f"has a label of more than {MAX_LABEL} characters", "shorten it")
    ascii_label = label.lower() if label.isascii() else _a_label(label, kind, shown)
    if len(ascii_label) > MAX_LABEL:
        raise _invalid(kind, shown, f"has a label of more than {MAX_LABEL} characters", "shorten it")
    if not pattern.fullmatch(ascii_label):
        allowed = "letters, digits and hyphens" if pattern is _LDH else "letters, digits, hyphens and underscores"
        part = HIDDEN if HIDDEN in shown else label
        raise _invalid(
            kind,
            shown,
            f"has a label ({quoted(part)}) that is not made of {allowed} without a hyphen at its ends",
            "fix it",
        )
    if ascii_label.startswith(_A_LABEL):
        _check_a_label(ascii_label, kind, shown)
    return ascii_label


def _a_label(label: str, kind: str, shown: str) -> str:
    """Turn a U-label into its A-label where IDNA2003 and IDNA2008 agree, and refuse it where they may not.

    IDNA2003, which Python brings, folds many characters into others and drops some, so that a name could become
    somebody else's. IDNA2008 has none of these: only a capital letter may become another character here, its small one.
    """
    cure = "write its A-label (xn--...) as your registrar shows it"
    for character in label:
        if character in _DEVIATIONS:
            raise _invalid(kind, shown, f"holds {character!r}, on which IDNA2003 and IDNA2008 differ", cure)
        if stringprep.in_table_a1(character):
            raise _invalid(kind, shown, f"holds {character!r}, which is newer than IDNA2003", cure)
        if unicodedata.normalize("NFKC", character) != character:
            raise _invalid(kind, shown, f"holds {character!r}, which IDNA2008 does not allow", cure)
    # Composed first: parts of Hangul syllables are allowed as far as they make one.
    for character in unicodedata.normalize("NFC", label):
        if not _is_allowed(_small_letter(character)):
            raise _invalid(kind, shown, f"holds {character!r}, which IDNA2008 does not allow", cure)
    plain = unicodedata.normalize("NFC", "".join(map(_small_letter, label)))
    try:
        prepared = idna.nameprep(label)
        encoded = idna.ToASCII(prepared).decode("ascii")
    except UnicodeError as error:
        raise _invalid(kind, shown, f"is no valid internationalised name ({error})", cure) from error
    if prepared != plain or not _is_u_label(prepared):
        raise _invalid(kind, shown, f"has a label ({quoted(label)}) that IDNA2008 does not allow", cure)
    return encoded.lower()


def _check_a_label(label: str, kind: str, shown: str) -> None:
    """Raise InvalidInput for what begins as an A-label and is none (RFC 5891 section 5.4)."""
    try:
        decoded = label[len(_A_LABEL) :].encode("ascii").decode("punycode")
        again = decoded.encode("punycode").decode("ascii")
    except (UnicodeError, ValueError, OverflowError):
        decoded = again = ""
    is_valid = _A_LABEL + again == label and not decoded.isascii() and _is_u_label(decoded)
    if not is_valid or not all(_is_allowed(character) or character in _DEVIATIONS for character in decoded):
        raise _invalid(
            kind, shown, f"has a label ({label}) that stands for no name of IDNA2008", "write it as your registrar does"
        )


def _small_letter(character: str) -> str:
    """Give the small letter of a capital one that has no other meaning, or the character itself."""
    small = character.lower()
    is_pair = len(small) == 1 and small.upper() == character and small.isascii() == character.isascii()
    return small if is_pair else character


def _is_allowed(character: str) -> bool:
    """Tell whether a character can stand in a U-label (RFC 5892 sections 2 and 3)."""
    if character.isascii():
        return True
    if character in _ALLOWED_SIGNS or character in _ALLOWED_BESIDES:
        return True
    if _NOT_ALLOWED.match(character):
        return False
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", character).casefold())
    return folded == character and unicodedata.category(character) in _ALLOWED_CATEGORIES


def _is_u_label(label: str) -> bool:
    """Tell whether a label is one of RFC 5891 sections 4.2.1 to 4.2.3.2, whatever its characters are."""
    return (
        unicodedata.normalize("NFC", label) == label
        and label[2:4] != "--"
        and not label.startswith("-")
        and not label.endswith("-")
        and not unicodedata.category(label[0]).startswith("M")
    )


def _refuse_unprintable(text: str, kind: str, shown: str) -> None:
    for character in text:
        if character.isspace() or unicodedata.category(character) in ("Cc", "Cs", "Zs", "Zl", "Zp"):
            raise _invalid(kind, shown, "holds white space or a control character", "remove it")


def _invalid(kind: str, shown: str, wrong: str, cure: str) -> InvalidInput:
    return InvalidInput(f"the {kind} {quoted(shown, MAX_SHOWN)} {wrong}: {cure}")
