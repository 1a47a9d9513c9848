# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Whether the exchanges of new MX sets would take the mail, judged by what they answered. Pure. Private.

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import REFUSED
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxRecord, as_found

# RFC 5321 section 4.2.1: the first digit of a reply that refuses for good.
_PERMANENT = 5
# So says Postfix to strangers where defer_unauth_destination stands, as on Debian, of domains that it does not serve.
_NO_RELAY = (454, "4.7.1")


@dataclass(frozen=True)
class NewSet:
    """An MX set with other records than those that are published now; the records are sorted."""

    name: str
    records: tuple[MxRecord, ...]

    @property
    def exchanges(self) -> tuple[str, ...]:
        """Give the hosts, the one to be tried first in front."""
        return tuple(dict.fromkeys(record.exchange for record in self.records))

    def is_first(self, exchange: str) -> bool:
        """Tell whether an exchange has the lowest preference, so that senders begin with it."""
        return MxRecord(self.records[0].preference, exchange) in self.records


@dataclass(frozen=True)
class ExchangeAnswers:
    """What one exchange said: the refusals and the number of questions by domain, or why it could not be asked.

    ``refusals`` has, for each domain that it was asked for, what it said to each recipient that it refused for good.
    """

    host: str
    asked: Mapping[str, int]
    refusals: Mapping[str, tuple[str, ...]]
    failure: str | None = None


def new_sets(published: Mapping[str, Any]) -> list[NewSet]:
    """Give the sets that need a look before they are published, of a result of ``mx_records`` in check mode.

    These are sets with other records than before. A new TTL attracts no mail, and a null MX (RFC 7505) has no exchange.
    A task that was skipped has none.
    """
    found = []
    for record_set in published.get("record_sets") or ():
        before, after = (_records(record_set[side]["mx"]) for side in ("before", "after"))
        if after and after != before and not after[0].is_null:
            found.append(NewSet(record_set["name"], after))
    return found


def exchange_objections(published: Mapping[str, Any], probes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Give a sentence for everything that forbids to publish the new sets; none when all of them can be published.

    ``published`` is the result of ``mx_records`` in check mode, ``probes`` are the results of ``smtp_probe``, one for
    each exchange. Forbidden are an exchange that cannot be asked, other than for now (4yz), and one of the lowest
    preference that refuses for good every recipient of the domain that it was asked for.
    """
    sets = new_sets(published)
    answers = [_read_probe(probe) for probe in probes]
    return [*_out_of_reach(sets, answers), *_refusing(sets, answers)]


def _out_of_reach(sets: Sequence[NewSet], answers: Iterable[ExchangeAnswers]) -> Iterator[str]:
    for answer in answers:
        names = [new.name for new in sets if answer.host in new.exchanges]
        if answer.failure is not None and names:
            yield f"The exchange {answer.host} of {', '.join(names)} takes no mail: {answer.failure}."


def _refusing(sets: Iterable[NewSet], answers: Sequence[ExchangeAnswers]) -> Iterator[str]:
    for new in sets:
        for answer in answers:
            refusals = answer.refusals.get(new.name, ())
            if new.is_first(answer.host) and refusals and len(refusals) == answer.asked[new.name]:
                more = f", and alike to {len(refusals) - 1} more" if len(refusals) > 1 else ""
                yield (
                    f"The exchange {answer.host} of {new.name}, which senders try first, refuses its mail: "
                    f"it answered {refusals[0]}{more}; set the domain up there, or give another exchange the lowest "
                    "preference."
                )


def _read_probe(probe: Mapping[str, Any]) -> ExchangeAnswers:
    host = probe["item"]["host"]
    if "recipients" not in probe:
        # A server that says "not now" is one that takes mail.
        is_for_now = probe.get("reply") is not None and probe["reply"]["code"] // 100 != _PERMANENT
        return ExchangeAnswers(host, {}, {}, None if is_for_now else str(probe.get("msg")))
    asked: dict[str, int] = {}
    refusals: dict[str, tuple[str, ...]] = {}
    for answer in probe["recipients"]:
        domain = answer["address"].rpartition("@")[2]
        asked[domain] = asked.get(domain, 0) + 1
        if answer["verdict"] == REFUSED or (answer["code"], answer["enhanced"]) == _NO_RELAY:
            words = [str(answer["code"]), answer["enhanced"], answer["text"]]
            said = f"{' '.join(word for word in words if word)} to {answer['address']}"
            refusals[domain] = (*refusals.get(domain, ()), said)
    return ExchangeAnswers(host, asked, refusals)


def _records(described: Iterable[Mapping[str, Any]]) -> tuple[MxRecord, ...]:
    return tuple(sorted(as_found(int(one["preference"]), one["exchange"]) for one in described))
