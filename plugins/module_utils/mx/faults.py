# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The faults of a name's MX set: of the set itself, and of the servers that give it. Pure. Private to this collection.

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_within
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchange_faults import exchange_faults
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.survey import (
    ERROR,
    NOT_AUTHORITATIVE,
    NOTICE,
    RCODE,
    SERVER_NOT_ASKED,
    SILENT,
    WARNING,
    WITHOUT_ADDRESS,
    Fault,
    MxSurvey,
    ServerAnswer,
    gravest_first,
)

# In seconds. Resolvers ask again all the time below the one, and a change takes longer than a week beyond the other.
_SHORT_TTL = 60
_LONG_TTL = 7 * 86400


def find_faults(survey: MxSurvey) -> list[Fault]:
    """Give all faults of a name, the gravest first.

    They follow RFC 5321 section 5, RFC 2181 sections 5.2 and 10.3, RFC 7505, and what Zonemaster's test case Zone09
    looks for.
    """
    faults = [*_server_faults(survey), *_agreement_faults(survey), *_resolver_faults(survey), *_set_faults(survey)]
    return gravest_first([*faults, *exchange_faults(survey.exchangers)])


def _server_faults(survey: MxSurvey) -> Iterator[Fault]:
    """Give what is wrong with single servers, and whether there is any that answers."""
    for answer in survey.servers:
        if answer.problem is not None and answer.problem != SERVER_NOT_ASKED:
            code, wrong, cure = _COMPLAINTS[answer.problem]
            yield Fault(
                code,
                WARNING,
                f"the name server {answer.place} of {survey.zone} {wrong.format(answer.detail, survey.name)}: {cure}",
            )
    if not survey.answers:
        # Where the resolver has an answer, it is this host alone to which they say nothing.
        place = f"of the name servers of {survey.zone} none" if survey.servers else "no authoritative server"
        yield Fault(
            "no_server_answers",
            WARNING if survey.resolved.problem is None else ERROR,
            f"{place} answers this host for the MX set of {survey.name}, so that what they hold is not known: "
            "make them answer, or ask from a host that reaches them",
        )


_COMPLAINTS = {
    WITHOUT_ADDRESS: (
        "server_without_address",
        "has no address that can be looked up ({0})",
        "publish its address, or remove it from the NS set",
    ),
    SILENT: (
        "server_silent",
        "gives no usable answer for the MX set of {1} ({0})",
        "see that it runs and that it can be reached over UDP and TCP",
    ),
    RCODE: (
        "server_error",
        "answers {0} for the MX set of {1}",
        "see its log and whether it has the zone, or remove it from the NS set",
    ),
    NOT_AUTHORITATIVE: (
        "server_not_authoritative",
        "gives no authoritative answer for the MX set of {1}",
        "let it serve the zone, or remove it from the NS set",
    ),
}


def _agreement_faults(survey: MxSurvey) -> Iterator[Fault]:
    """Give the differences between servers that do answer."""
    name, answers = survey.name, survey.answers
    having = [answer for answer in answers if answer.mx.records]
    lacking = [answer for answer in answers if not answer.mx.records]
    if having and lacking:
        yield Fault(
            "set_missing_on_servers",
            WARNING,
            f"the MX set of {name} is missing on {_places(lacking)}, while {_places(having)} has one, so that mail "
            "goes now here, now there: see why the zone transfer fails",
        )
    if len({answer.mx.records for answer in having}) > 1:
        shown = "; ".join(f"{answer.place} gives {_records(answer.mx)}" for answer in having)
        yield Fault(
            "sets_differ",
            WARNING,
            f"the MX set of {name} differs between its name servers ({shown}), so that mail goes now here, now there: "
            "see why the zone transfer fails",
        )
    elif len({answer.mx.ttl for answer in having}) > 1:
        shown = "; ".join(f"{answer.place} gives {answer.mx.ttl} s" for answer in having)
        yield Fault(
            "ttls_differ",
            NOTICE,
            f"the TTL of the MX set of {name} differs between its name servers ({shown}): "
            "see why the zone transfer fails",
        )
    if len({answer.serial for answer in answers}) > 1:
        shown = "; ".join(f"{answer.place} has {answer.serial}" for answer in answers)
        yield Fault(
            "serials_differ",
            NOTICE,
            f"the zone {survey.zone} has several serials on its name servers ({shown}): "
            "wait for the zone transfers, and see why they fail if this stays",
        )


def _resolver_faults(survey: MxSurvey) -> Iterator[Fault]:
    """Give what a resolver makes of it."""
    name, resolved = survey.name, survey.resolved
    if resolved.problem is not None:
        yield Fault(
            "not_resolvable",
            ERROR,
            f"the MX set of {name} cannot be looked up ({resolved.problem}), so that mail for it waits: "
            "make the name servers of its zone answer",
        )
    elif _is_outdated(survey):
        left = f" for up to {resolved.ttl_left} s" if resolved.ttl_left is not None else ""
        yield Fault(
            "resolver_has_other_set",
            NOTICE,
            f"the resolver still gives for {name} {_records(resolved.mx)}{left}, where the name servers give "
            f"{_records(survey.exchangers.mx)}: keep the hosts of both sets running until then",
        )


def _is_outdated(survey: MxSurvey) -> bool:
    """Tell whether the resolver gives a set that none of the name servers gives any more."""
    answers = [answer for answer in survey.answers if answer.alias_of is None]
    return bool(answers) and all(answer.mx.records != survey.resolved.mx.records for answer in answers)


def _set_faults(survey: MxSurvey) -> Iterator[Fault]:
    """Give what is wrong with the set that holds."""
    name, held = survey.name, survey.exchangers
    if held.problem is not None:
        return
    alias_of = next((answer.alias_of for answer in survey.answers if answer.alias_of is not None), None)
    if alias_of is not None:
        yield Fault(
            "name_is_alias",
            NOTICE,
            f"{name} is an alias of {alias_of}, so that its mail goes where the mail of {alias_of} goes (RFC 5321 "
            f"section 5.1): replace the CNAME if {name} is to have an MX set of its own",
        )
    if not held.mx.records:
        yield from _absence_faults(survey)
        return
    yield from _null_faults(name, held)
    if not held.takes_no_mail:
        yield from _infrastructure_faults(name)
    if survey.wildcard is not None:
        yield Fault(
            "wildcard",
            NOTICE,
            f"{name} has the same MX set as {survey.wildcard}, which gives it to every name there that has no records: "
            "publish a set for each name that takes mail, and remove the wildcard",
        )
    yield from _ttl_faults(name, held.mx)


def _absence_faults(survey: MxSurvey) -> Iterator[Fault]:
    name, held = survey.name, survey.exchangers
    own = held.hosts[name]
    if not held.exists:
        yield Fault(
            "no_such_name",
            ERROR,
            f"{name} does not exist in the DNS, so that no mail can be sent to it: "
            "correct the name, or publish an MX set",
        )
    elif own.problem is not None:
        yield Fault(
            "not_resolvable",
            ERROR,
            f"{name} has no MX record, and whether it has an address cannot be looked up ({own.problem}): "
            "make the name servers of its zone answer",
        )
    elif held.is_implicit:
        yield Fault(
            "implicit_mx",
            NOTICE,
            f"{name} has no MX record, so that its mail goes to its own address {', '.join(own.addresses)} (RFC 5321 "
            "section 5.1): publish an MX set, or a null MX (RFC 7505) where no mail is wanted",
        )
    elif not _is_infrastructure(name):
        yield Fault(
            "no_exchanger",
            ERROR,
            f"{name} has neither an MX record nor an address, so that no mail can be sent to it: "
            "publish an MX set, or a null MX (RFC 7505) where no mail is wanted",
        )


def _null_faults(name: str, held: MailExchangers) -> Iterator[Fault]:
    null = [record for record in held.mx.records if record.is_null]
    if null and len(null) < len(held.mx.records):
        yield Fault(
            "null_mx_with_others",
            ERROR,
            f"{name} has a null MX beside other records ({_records(held.mx)}), which RFC 7505 section 3 forbids and "
            "each sender takes in its own way: remove the null MX, or the others",
        )
    if any(record.preference for record in null) or len(null) > 1:
        yield Fault(
            "null_mx_preference",
            WARNING,
            f"the null MX of {name} is written {_records(MxSet(tuple(null)))}, where RFC 7505 section 3 wants one "
            "record of the preference 0: write 0 .",
        )


def _infrastructure_faults(name: str) -> Iterator[Fault]:
    kinds = {
        "root_takes_mail": (name == ".", "is the root, of which nobody can have an address"),
        "top_level_domain_takes_mail": (
            name != "." and "." not in name,
            "is a top-level domain, to which most senders cannot write (RFC 5321 section 2.3.5 wants two labels)",
        ),
        "arpa_takes_mail": (
            name.endswith(".arpa"),
            "lies below arpa, whose names are no mail domains (RFC 3172)",
        ),
    }
    for code, (applies, reason) in kinds.items():
        if applies:
            shown = "the name ." if name == "." else name
            yield Fault(code, NOTICE, f"{shown} {reason}: remove its MX set, or publish a null MX (RFC 7505)")


def _ttl_faults(name: str, mx_set: MxSet) -> Iterator[Fault]:
    ttl = mx_set.ttl
    if ttl is not None and ttl < _SHORT_TTL:
        yield Fault(
            "ttl_short",
            NOTICE,
            f"the MX set of {name} has a TTL of {ttl} s, so that every sender asks all the time and finds nobody while "
            "the name servers are down: choose 300 s or more when no move is under way",
        )
    if ttl is not None and ttl > _LONG_TTL:
        yield Fault(
            "ttl_long",
            NOTICE,
            f"the MX set of {name} has a TTL of {ttl} s, so that a change takes more than a week to be seen: "
            "choose a day or less",
        )


def _is_infrastructure(name: str) -> bool:
    """Tell whether nobody expects a name to take mail: the root, top-level domains, and all below arpa (RFC 3172)."""
    return "." not in name or name == "." or is_within(name, "arpa")


def _places(answers: Iterable[ServerAnswer]) -> str:
    return ", ".join(answer.place for answer in answers)


def _records(mx_set: MxSet) -> str:
    return ", ".join(str(record) for record in mx_set.records) or "no MX record"
