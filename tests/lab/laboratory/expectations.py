# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What must happen to mail for the split domain, as data: one row for each kind of sender and recipient.
"""The table of expectations that Molecule and the demo both send mail for.

alice lives at hq (mx1.example.com), bob at cloud (mx.cloud.example.net); both sites forward unknown recipients to each
other. There are two forms: with one directory of all users (``DIRECTORY``), and with each site knowing only its own
(``OWN_USERS``). grace lives at cloud, and in both forms only cloud knows her.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

DOMAIN = "example.com"
HQ = "mx1.example.com"
CLOUD = "mx.cloud.example.net"
OUTSIDE = "sender.example.org"
STRANGER = "sender@example.org"

DIRECTORY = "directory"
OWN_USERS = "own_users"
FORMS = (DIRECTORY, OWN_USERS)


@dataclass(frozen=True)
class Delivered:
    """In that mailbox, once, nowhere else, and over these servers; ``hops`` None where the way does not matter."""

    host: str
    mailbox: str
    hops: tuple[str, ...] | None

    def __str__(self) -> str:
        """Say it for the table."""
        return f"delivered to {self.mailbox.split('@')[0]} at {site_name(self.host)}"


@dataclass(frozen=True)
class Copies:
    """One copy in each of these mailboxes, or with ``one_of`` in one of them; no other copy anywhere."""

    places: tuple[Delivered, ...]
    one_of: bool = False

    def __str__(self) -> str:
        """Say it for the table."""
        joined = (" or " if self.one_of else " and ").join(site_name(place.host) for place in self.places)
        return f"delivered to {self.places[0].mailbox.split('@')[0]} at {joined}"


@dataclass(frozen=True)
class Answered:
    """Delivered, and the sender gets one answer that a program gave, as of somebody on vacation; made by ``by``."""

    then: Delivered
    host: str
    mailbox: str
    by: str = ""

    def __str__(self) -> str:
        """Say it for the table."""
        return f"{self.then}, answered once{f' by {site_name(self.by)}' if self.by else ''}"


@dataclass(frozen=True)
class Refused:
    """Refused at RCPT with one of these codes and enhanced codes; no message, bounce or queue entry anywhere."""

    codes: tuple[int, ...]
    enhanced: tuple[str, ...]
    words: str

    def __str__(self) -> str:
        """Say it for the table."""
        return f"refused, {self.words}"


@dataclass(frozen=True)
class Bounced:
    """Taken from the sender, then one bounce in that mailbox, made by ``by``; by default on the sender's own server."""

    host: str
    mailbox: str
    by: str = ""

    def __str__(self) -> str:
        """Say it for the table."""
        if self.by not in ("", self.host):
            return f"one bounce to {self.mailbox.split('@')[0]}, from {site_name(self.by)}"
        return f"one bounce to {self.mailbox.split('@')[0]}, no other server takes it"


@dataclass(frozen=True)
class Held:
    """Taken by ``queue`` and held there while the next server is stopped; then delivered."""

    queue: str
    then: Union[Delivered, Copies]

    def __str__(self) -> str:
        """Say it for the table."""
        return f"queued at {site_name(self.queue)}, then {self.then}"


@dataclass(frozen=True)
class Deferred:
    """Answered with 450 while the next server is stopped, so that the outside system holds it; then delivered."""

    then: Delivered

    def __str__(self) -> str:
        """Say it for the table."""
        return f"450, then {self.then}"


Must = Union[Delivered, Copies, Answered, Refused, Bounced, Held, Deferred]

SITE_NAMES = {HQ: "hq", CLOUD: "cloud", OUTSIDE: "outside"}


def site_name(host: str) -> str:
    """Give the name of the site that a host stands for; a host of no such site is called by its own name."""
    return SITE_NAMES.get(host, host)


@dataclass(frozen=True)
class Expectation:
    """One row: a client on ``host`` hands ``server`` a message for ``recipient``, and this must happen.

    ``localhost`` as server is the client's own Postfix: a user of that host, or a stranger whose mail goes by MX.
    The host ``stopped`` is switched off meanwhile, or only ``cut_off`` the network. ``extension`` is what of SMTP the
    message needs (laboratory/extensions.py).
    ``{run}`` in a recipient stands for a word that no run has used before, so that no server has its answer ready.
    """

    who: str
    host: str
    server: str
    sender: str
    recipient: str
    must: Must
    stopped: str = ""
    forms: tuple[str, ...] = FORMS
    cut_off: bool = False
    extension: str = ""


_ALICE = f"alice@{DOMAIN}"
_BOB = f"bob@{DOMAIN}"
_GRACE = f"grace@{DOMAIN}"
_NOBODY = f"nobody@{DOMAIN}"
_UNKNOWN = Refused((550,), ("5.1.1",), "550 5.1.1 user unknown")
_LOOP = Refused((554,), ("5.4.6",), "554 5.4.6 mail loop")
# Debian's default restrictions end in defer_unauth_destination, 454; others in reject_unauth_destination, 554.
_NO_RELAY = Refused((454, 554), ("4.7.1", "5.7.1"), "relaying denied")
_AT_CLOUD = (OUTSIDE, HQ, CLOUD)


def _from_outside(recipient: str, must: Must, stopped: str = "", forms: tuple[str, ...] = FORMS) -> Expectation:
    who = "outside" if not stopped else f"outside, {site_name(stopped)} stopped"
    return Expectation(who, OUTSIDE, "localhost", STRANGER, recipient, must, stopped, forms)


EXPECTATIONS = (
    _from_outside(_ALICE, Delivered(HQ, _ALICE, (OUTSIDE, HQ))),
    _from_outside(_BOB, Delivered(CLOUD, _BOB, _AT_CLOUD)),
    _from_outside(f"Bob@{DOMAIN}", Delivered(CLOUD, _BOB, _AT_CLOUD)),
    _from_outside(f"bob+news@{DOMAIN}", Delivered(CLOUD, _BOB, _AT_CLOUD)),
    _from_outside(_GRACE, Delivered(CLOUD, _GRACE, _AT_CLOUD)),
    Expectation("outside, at hq", OUTSIDE, HQ, STRANGER, _NOBODY, _UNKNOWN),
    Expectation("outside, at cloud", OUTSIDE, CLOUD, STRANGER, _NOBODY, _UNKNOWN),
    Expectation("outside, at cloud", OUTSIDE, CLOUD, STRANGER, _ALICE, Delivered(HQ, _ALICE, (CLOUD, HQ))),
    Expectation("a user on cloud", CLOUD, "localhost", _BOB, _ALICE, Delivered(HQ, _ALICE, (CLOUD, HQ))),
    Expectation("a user on hq", HQ, "localhost", _ALICE, _BOB, Delivered(CLOUD, _BOB, (HQ, CLOUD))),
    Expectation("a user on cloud", CLOUD, "localhost", _BOB, _NOBODY, Bounced(CLOUD, _BOB)),
    Expectation("a user on hq", HQ, "localhost", _ALICE, _NOBODY, Bounced(HQ, _ALICE)),
    Expectation("cloud's address, at hq", CLOUD, HQ, STRANGER, "someone@elsewhere.test", _NO_RELAY),
    Expectation("hq's address, at cloud", HQ, CLOUD, STRANGER, "someone@elsewhere.test", _NO_RELAY),
    Expectation("cloud's address, at hq", CLOUD, HQ, STRANGER, _BOB, _LOOP, forms=(DIRECTORY,)),
    # Without a directory hq does not know that bob lives at cloud; to cloud he is an unknown recipient then.
    Expectation("cloud's address, at hq", CLOUD, HQ, STRANGER, _BOB, _UNKNOWN, forms=(OWN_USERS,)),
    Expectation("outside, at hq", OUTSIDE, HQ, STRANGER, f"alice@sub.{DOMAIN}", _NO_RELAY),
    _from_outside(_BOB, Held(HQ, Delivered(CLOUD, _BOB, _AT_CLOUD)), stopped=CLOUD, forms=(DIRECTORY,)),
    _from_outside("grace+{run}@" + DOMAIN, Deferred(Delivered(CLOUD, _GRACE, _AT_CLOUD)), stopped=CLOUD),
)


def expectations(form: str) -> tuple[Expectation, ...]:
    """Give the rows that hold in that form, in the order in which people read them."""
    return tuple(row for row in EXPECTATIONS if form in row.forms)
