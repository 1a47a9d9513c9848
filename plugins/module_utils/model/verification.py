# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether a site's answers can be trusted: what follows from those to its verification address and a random one. Pure.

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.shapes import shown
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import OF_THE_SYSTEM, Authorities

VERIFIED = "verified"
ACCEPTS_EVERYTHING = "accepts_everything"
REFUSES = "refuses"
PEER_NOT_ASKED = "not_asked"
UNVERIFIED = (ACCEPTS_EVERYTHING, REFUSES, PEER_NOT_ASKED)
# RFC 5321 section 4.2.1: the first digit decides.
_SUCCESS, _PERMANENT = 2, 5
# Replies that may speak of a recipient, and the subjects of RFC 3463 that speak of the server or the session instead.
_OF_RECIPIENTS = (550, 551, 553, 554, 556)
_OF_OTHER_THINGS = re.compile(r"[0-9]{3} 5\.[35]\.")
# Not the address itself, which is another one in each run.
_NOBODY = "an address that nobody has"


@dataclass(frozen=True)
class PeerAnswer:
    """What a site said to one recipient. ``code`` is None, and ``said`` tells why, when it said nothing."""

    code: int | None
    said: str

    @property
    def is_yes(self) -> bool:
        """Whether the recipient is taken."""
        return self.code is not None and self.code // 100 == _SUCCESS

    @property
    def is_refusal(self) -> bool:
        """Whether the answer is a final no, to the recipient or to us."""
        return self.code is not None and self.code // 100 == _PERMANENT

    @property
    def refuses_the_recipient(self) -> bool:
        """Whether the answer is a final no to this recipient, and not to the session or for want of means."""
        return self.code in _OF_RECIPIENTS and not _OF_OTHER_THINGS.match(self.said)


@dataclass(frozen=True)
class Introduction:
    """How a mail server introduces itself where it asks ahead, so that it is answered as its probes will be."""

    helo: str
    sender: str
    source: str | None = None
    """The address it sends from, None for what the system takes."""
    authorities: Authorities = OF_THE_SYSTEM
    """Whose certificates it believes."""


AskPeer = Callable[[Relay, Sequence[str], Introduction], Sequence[PeerAnswer]]
"""Asks a relay for recipients, and gives an answer for each; it raises nothing."""


@dataclass(frozen=True)
class Doubt:
    """Why a site could not be verified in this run: the recipient whose answer decided, and that answer."""

    recipient: str
    answer: PeerAnswer
    verdict: str
    is_decisive: bool
    """Whether the answer decided; otherwise the verdict is what it was before."""


def parse_verification_address(value: Any, domain: str, owner: str) -> str | None:
    """Read the verification address of a site; raises InvalidInput when it is no address of the domain."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"{owner} has verification_address {shown(value)}: write an address of {domain}")
    address = parse_address(value)
    if address.domain != domain:
        raise InvalidInput(
            f"{owner} has the verification address {value!r}, which is no address of {domain}: "
            f"name one of {domain} that exists at that site"
        )
    return str(address)


def judge(known: PeerAnswer, stranger: PeerAnswer, earlier: str | None) -> str:
    """Give the verdict that follows from the answers for the verification address and for one that nobody has.

    Where they decide nothing, a verdict that was found ``earlier`` stands: a site that is down is asked ahead in vain,
    which is 450 by itself.
    """
    if known.is_refusal:
        return REFUSES
    if stranger.is_yes:
        return ACCEPTS_EVERYTHING
    if known.is_yes and stranger.refuses_the_recipient:
        return VERIFIED
    return earlier or PEER_NOT_ASKED


def decisive(heard: Iterable[tuple[PeerAnswer, PeerAnswer]]) -> tuple[PeerAnswer, PeerAnswer]:
    """Give the answers of that server of a site that decide, each for the verification address and for a stranger.

    One server that must not be believed makes the site so, and one that is down is no news while another speaks.
    """
    order = (REFUSES, ACCEPTS_EVERYTHING, VERIFIED, PEER_NOT_ASKED)
    return min(heard, key=lambda answers: order.index(judge(answers[0], answers[1], None)))


def doubt(address: str, known: PeerAnswer, stranger: PeerAnswer, verdict: str) -> Doubt | None:
    """Give what speaks against a site after it was asked; None when it told its recipients from strangers."""
    if known.is_refusal or not (known.is_yes or stranger.is_yes):
        return Doubt(address, known, verdict, is_decisive=known.is_refusal)
    if known.is_yes and stranger.refuses_the_recipient:
        return None
    return Doubt(_NOBODY, stranger, verdict, is_decisive=stranger.is_yes)


def warning(found: Doubt, domain: str, site: str, relay: Relay) -> str:
    """Say in one sentence what a site did with a recipient, what that means for the domain, and what to do."""
    peer = f"the site {site} of {domain} ({relay})"
    said = found.answer.said
    held = f"unknown recipients of {domain} get 450 here until a later run finds it mended"
    if found.is_decisive and found.verdict == REFUSES:
        return (
            f"{peer} refuses its verification address {found.recipient} ({said}), so that it would refuse its users "
            f"too, and {held}: see that the address exists there and that the site takes mail from this server"
        )
    if found.is_decisive:
        return (
            f"{peer} takes {found.recipient} ({said}), so that asking it proves nothing, and {held}: "
            f"have it refuse unknown recipients, or list all users in the directory and remove 'unknown'"
        )
    if found.verdict == VERIFIED:
        return (
            f"{peer} cannot be verified now ({found.recipient}: {said}), and stays verified because it was before; "
            f"unknown recipients of {domain} get 450 while it cannot be asked: bring it back, no run is needed then"
        )
    return (
        f"{peer} cannot be verified ({found.recipient}: {said}) and was not before, and {held}: "
        f"bring it back, and run again"
    )
