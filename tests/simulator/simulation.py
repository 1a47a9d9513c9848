# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What becomes of a message for any address, by whatever way it comes: the plans of all servers, walked. Pure.
#
# The mechanisms that are walked are explained in docs/architecture/postfix_setup.md.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from simulated_recipients import recipient_at
from simulated_sites import (
    NOTHING_IS_DOWN,
    ExternalSite,
    Outage,
    Place,
    PlannedDomain,
    PlannedServer,
    Sites,
)

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import Address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import Peer
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import VERIFIED, PeerAnswer, judge

TAKEN, LATER, REFUSED, FAILED = 250, 450, 550, 554
OUTSIDE = "outside"
OWN_USER = "own user"
DELIVERED = "delivered"
WAITS = "waits"
"""In a server's queue until the next place can be reached."""
RETURNED = "returned"
"""Refused after it was accepted, which the server's own user is told."""
BOUNCED = "bounced"
"""Refused after it was accepted, which a stranger is told: backscatter, if that is not who sent it."""
CIRCLES = "circles"
UNANSWERED = "unanswered"
"""In a server's queue, and the next place says later each time, because its question comes back to it."""
ENDS = (DELIVERED, WAITS, RETURNED, BOUNCED, CIRCLES, UNANSWERED)

_NOBODY = "nobody-has-this-address"


@dataclass(frozen=True)
class Hop:
    """A message, or a question about one, on its way from one place to the next."""

    sender: str
    receiver: str
    recipient: Address


@dataclass(frozen=True)
class Reply:
    """What is said to a recipient. ``unasked`` are places that could not be asked, or whose word does not count yet."""

    code: int
    because: str
    questions: tuple[Hop, ...] = ()
    """The way of the question asked ahead, the last one where several servers were asked."""
    unasked: tuple[str, ...] = ()
    circle: tuple[Hop, ...] = ()
    """The way of a question that comes back to where it was asked before."""


KNOWN = Reply(TAKEN, "known")
COMES_BACK = Reply(FAILED, "a loop: the mailbox lives on the site that sent this")
OWN_USERS_MAIL = Reply(TAKEN, "the server's own users are not kept waiting")


@dataclass(frozen=True)
class End:
    """What became of an accepted message, or of one copy of it: where it was last, and over which hops it came."""

    what: str
    place: str
    recipient: Address
    hops: tuple[Hop, ...]
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fate:
    """The reply to a recipient, and all that becomes of the message when the reply is yes."""

    reply: Reply
    ends: tuple[End, ...] = ()

    def those(self, what: str) -> tuple[End, ...]:
        """Give the ends of one kind."""
        return tuple(end for end in self.ends if end.what == what)

    @property
    def goes_in_a_circle(self) -> bool:
        """Whether the message, or the question about it, would go on for ever."""
        return bool(self.reply.circle or self.those(CIRCLES) or self.those(UNANSWERED))


@dataclass(frozen=True)
class WayIn:
    """Who speaks to which place: a stranger, another place as a client (``peer``), or a user of the server itself."""

    at: Place
    peer: Place | None = None
    own_user: bool = False

    @property
    def sender(self) -> str:
        """The name of the one who speaks."""
        return OWN_USER if self.own_user else OUTSIDE if self.peer is None else self.peer.name


def simulate(sites: Sites, address: Address, way_in: WayIn, outage: Outage = NOTHING_IS_DOWN) -> Fate:
    """Tell what becomes of a message for ``address``.

    Servers do what their plans make Postfix do, with verdicts and answers that are fresh. Raises InvalidInput for an
    address that the place of the way in has no split domain for.
    """
    walk = _Walk(sites, outage)
    reply = walk.answer(way_in, address, ())
    if reply.code != TAKEN:
        return Fate(reply)
    hop = Hop(way_in.sender, way_in.at.name, address)
    refused = RETURNED if way_in.own_user else BOUNCED
    return Fate(reply, tuple(walk.carry(way_in.at, address, (hop,), refused)))


@dataclass(frozen=True)
class _Walk:
    """A walk through sites of which some are out of order."""

    sites: Sites
    outage: Outage

    def answer(self, way_in: WayIn, address: Address, asked: tuple[Hop, ...]) -> Reply:
        """Give a place's answer to a recipient; ``asked`` are the questions that have led here."""
        hop = Hop(way_in.sender, way_in.at.name, address)
        if hop in asked:
            return Reply(LATER, "the question has come back", circle=(*asked[asked.index(hop) :], hop))
        asked = (*asked, hop)
        if isinstance(way_in.at, ExternalSite):
            return self._answer_of_external(way_in.at, address, asked)
        if not address.local_part:
            return Reply(REFUSED, "an address without a local part, which nobody has")
        return self._answer_of_server(way_in.at, way_in, address, asked)

    def carry(self, place: Place, address: Address, hops: tuple[Hop, ...], refused: str) -> Iterator[End]:
        """Give all that becomes of a message that a place has accepted; ``refused`` is how a later refusal ends."""
        if hops[-1] in hops[:-1]:
            yield End(CIRCLES, place.name, address, hops)
            return
        if isinstance(place, ExternalSite):
            yield from self._carry_at_external(place, address, hops, refused)
            return
        recipient = recipient_at(place, address)
        for way in () if recipient is None else recipient.ways:
            if way.peer is None:
                yield End(DELIVERED, place.name, way.address, hops)
            elif recipient is not None:
                receivers = self.sites.receivers(recipient.entry.settings.domain, way.peer)
                yield from self._send(place, way.address, receivers, hops, refused)

    def _answer_of_server(
        self, server: PlannedServer, way_in: WayIn, address: Address, asked: tuple[Hop, ...]
    ) -> Reply:
        recipient = recipient_at(server, address)
        if recipient is None:
            raise InvalidInput(f"{address} is in no split domain of {server.host}: name an address of one of them")
        back = frozenset() if way_in.peer is None else server.stands_for(self.sites.client_names(way_in.peer))
        if recipient.relayed:
            return OWN_USERS_MAIL if way_in.own_user else Reply(FAILED, "relaying is denied")
        if recipient.known:
            return COMES_BACK if recipient.leads_back_to(back) else KNOWN
        if recipient.fallback is None:
            return Reply(REFUSED, "unknown, and nobody else is asked")
        if recipient.leads_back_to(back):
            return Reply(REFUSED, "unknown here, and the site that sent this does not know it either")
        if way_in.own_user and not back:
            return OWN_USERS_MAIL
        return self._answer_by_asking(server, recipient.entry, recipient.fallback, address, asked)

    def _answer_by_asking(
        self, server: PlannedServer, entry: PlannedDomain, fallback: Peer, address: Address, asked: tuple[Hop, ...]
    ) -> Reply:
        settings = entry.settings
        if not settings.call_ahead:
            return Reply(TAKEN, "unknown here, and taken without asking")
        receivers = self.sites.receivers(settings.domain, fallback)
        if settings.verified_peer is not None and self._verdict(server, entry, fallback, asked) != VERIFIED:
            return Reply(LATER, "the next site is not believed", unasked=(fallback.site,))
        return self._ask(server, address, receivers, asked)

    def _ask(self, place: Place, address: Address, receivers: Sequence[Place], asked: tuple[Hop, ...]) -> Reply:
        """Give what a place learns of an address where its next hop is asked: the first final word counts."""
        unasked: tuple[str, ...] = ()
        for receiver in receivers:
            if self._is_cut_off(place, receiver):
                unasked = (*unasked, receiver.name)
                continue
            reply = self.answer(WayIn(receiver, place), address, asked)
            if reply.circle:
                return reply
            questions = (Hop(place.name, receiver.name, address), *reply.questions)
            if reply.code == TAKEN:
                return Reply(TAKEN, "the next site takes it", questions)
            if reply.code != LATER:
                return Reply(REFUSED, f"the next site says: {reply.because}", questions)
            unasked = (*unasked, *reply.unasked)
        return Reply(LATER, "somebody could not be asked", unasked=tuple(dict.fromkeys(unasked)))

    def _verdict(self, server: PlannedServer, entry: PlannedDomain, peer: Peer, asked: tuple[Hop, ...]) -> str:
        """Give what the last run found of a site: what stands in the settings, or what it says when nothing is down."""
        settings = entry.settings
        if settings.verdict is not None or peer.verification_address is None:
            return settings.verdict or VERIFIED
        at_its_best = replace(self, outage=NOTHING_IS_DOWN)
        receivers = self.sites.receivers(settings.domain, peer)
        answers = []
        for local_part in (peer.verification_address.rpartition("@")[0], _NOBODY):
            reply = at_its_best._ask(server, Address(settings.domain, local_part), receivers, asked)
            answers.append(PeerAnswer(reply.code, reply.because))
        return judge(answers[0], answers[1], None)

    def _send(
        self, place: Place, address: Address, receivers: Sequence[Place], hops: tuple[Hop, ...], refused: str
    ) -> Iterator[End]:
        """Give what becomes of a message that goes to the first of some places that gives a final answer."""
        unreached: tuple[str, ...] = ()
        for receiver in receivers:
            if self._is_cut_off(place, receiver):
                unreached = (*unreached, receiver.name)
                continue
            reply = self.answer(WayIn(receiver, place), address, ())
            if reply.code == TAKEN:
                yield from self.carry(receiver, address, (*hops, Hop(place.name, receiver.name, address)), refused)
                return
            if reply.circle:
                yield End(UNANSWERED, place.name, address, (*hops, *reply.circle))
                return
            if reply.code != LATER:
                yield End(refused, place.name, address, hops)
                return
            unreached = (*unreached, *reply.unasked)
        yield End(WAITS, place.name, address, hops, tuple(dict.fromkeys(unreached)))

    def _answer_of_external(self, site: ExternalSite, address: Address, asked: tuple[Hop, ...]) -> Reply:
        if site.mailbox(address) is not None:
            return KNOWN
        if site.takes_everything:
            return Reply(TAKEN, "everything is taken")
        if site.forwards_to is None:
            return Reply(REFUSED, "unknown, and nobody else is asked")
        return self._ask(site, address, self.sites.members(site.domain, site.forwards_to), asked)

    def _carry_at_external(
        self, site: ExternalSite, address: Address, hops: tuple[Hop, ...], refused: str
    ) -> Iterator[End]:
        mailbox = site.mailbox(address)
        if mailbox is not None:
            yield End(DELIVERED, site.name, mailbox, hops)
        elif site.forwards_to is None:
            yield End(refused, site.name, address, hops)
        else:
            yield from self._send(site, address, self.sites.members(site.domain, site.forwards_to), hops, refused)

    def _is_cut_off(self, sender: Place, receiver: Place) -> bool:
        return self.outage.parts(self.sites.names(sender), self.sites.names(receiver))
