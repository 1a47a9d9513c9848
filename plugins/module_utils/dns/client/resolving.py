# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Asking recursive resolvers: the MX sets of many domains, and the addresses of their exchanges. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ResolverUseless
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.fan_out import (
    DnsAnswer,
    FanOut,
    NoReply,
    Query,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.transport import DNS_PORT
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.wire import DnsRecord, DnsReply
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import (
    Host,
    MailExchangers,
    hosts_by_name,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.records import MxSet, as_found

RESOLVER_TIMEOUT = 5.0
# The rcodes of replies that say what there is and what there is not.
_ANSWERED = ("NOERROR", "NXDOMAIN")
DnsQuestion = tuple[str, str]


class Resolver:
    """One or more recursive resolvers: what one cannot answer, the next is asked."""

    def __init__(self, addresses: Sequence[str], port: int = DNS_PORT, timeout: float = RESOLVER_TIMEOUT) -> None:
        """Prepare; nothing is sent. ``timeout`` is the longest silence of each resolver in seconds."""
        self.addresses = tuple(addresses)
        self._fan_out = FanOut(port, timeout, recursive=True)

    def ask(self, questions: Iterable[DnsQuestion]) -> dict[DnsQuestion, DnsAnswer]:
        """Put questions, each a canonical name and a type, and give what came back: NoReply, or a Reply of any rcode.

        Raises ResolverUseless when there are questions and no resolver answered any of them by more than a refusal.
        """
        answers: dict[DnsQuestion, DnsAnswer] = dict.fromkeys(questions, NoReply("nobody was asked"))
        open_questions = list(answers)
        is_there = not answers
        for address in self.addresses:
            if not open_questions:
                break
            # Every resolver has the root; it comes first, so that silence is known to be about the other names only.
            root = Query(address, ".", "NS")
            queries = {question: Query(address, *question) for question in open_questions}
            found = self._fan_out.ask([root, *queries.values()])
            has_root = isinstance(known := found[root], DnsReply) and known.offers_recursion
            is_there = is_there or has_root or not all(_says_nothing(found[query]) for query in queries.values())
            for question, query in queries.items():
                if isinstance(found[query], DnsReply) or isinstance(answers[question], NoReply):
                    answers[question] = found[query]
            open_questions = [question for question in open_questions if problem_of(answers[question]) is not None]
        if not is_there:
            raise ResolverUseless(
                f"nothing can be looked up at the resolver {', '.join(self.addresses)} (port {self._fan_out.port}): "
                f"{problem_of(next(iter(answers.values())))}; check that a resolver runs there which this host may "
                "use, or name another with the option resolver"
            )
        return answers

    def look_up_hosts(self, names: Iterable[str]) -> dict[str, Host]:
        """Give the addresses of hosts; aliases are followed by the resolver. Raises ResolverUseless."""
        wanted = list(dict.fromkeys(names))
        answers = self.ask([(name, rdtype) for name in wanted for rdtype in ("A", "AAAA")])
        return hosts_by_name(_host(name, answers[name, "A"], answers[name, "AAAA"]) for name in wanted)


def look_up_exchangers(resolver: Resolver, domains: Iterable[str]) -> dict[str, MailExchangers]:
    """Give, for each canonical domain, its MX set and the addresses of its exchanges, or why they are not known.

    All domains are asked for at once. Raises ResolverUseless when nothing can be looked up at all.
    """
    wanted = list(dict.fromkeys(domains))
    answers = resolver.ask([(domain, "MX") for domain in wanted])
    sets = {domain: resolved_set(domain, answers[domain, "MX"]) for domain in wanted}
    hosts = resolver.look_up_hosts(
        name for domain in wanted if problem_of(answers[domain, "MX"]) is None for name in hosts_needed(domain, sets)
    )
    return {domain: _exchangers(domain, answers[domain, "MX"], sets[domain], hosts) for domain in wanted}


def hosts_needed(domain: str, sets: Mapping[str, MxSet]) -> list[str]:
    """Give the hosts whose addresses decide where mail for a domain goes: its exchanges, or the domain itself."""
    records = sets[domain].records
    return [record.exchange for record in records if not record.is_null] if records else [domain]


def problem_of(answer: DnsAnswer) -> str | None:
    """Give a clause that says why an answer of a resolver tells nothing of the name, or None when it does."""
    if isinstance(answer, NoReply):
        return answer.reason
    if answer.rcode not in _ANSWERED:
        return f"the resolver said {answer.rcode}"
    has_records = any(record.rdtype != "CNAME" for record in answer.answer)
    if not answer.offers_recursion and not has_records and (answer.answer or not answer.is_authoritative):
        return "the resolver refers to other servers instead of asking them"
    return None


def resolved_records(name: str, rdtype: str, reply: DnsReply) -> tuple[list[DnsRecord], str]:
    """Give the records of one type that a reply holds for a name, and the name at the end of its aliases."""
    aliases = {record.name: record.value for record in reply.answer if record.rdtype == "CNAME"}
    end, seen = name, {name}
    while end in aliases and aliases[end] not in seen:
        end = aliases[end]
        seen.add(end)
    return [record for record in reply.answer if record.rdtype == rdtype and record.name == end], end


def resolved_set(domain: str, answer: DnsAnswer) -> MxSet:
    """Give the MX set that a resolver gave; its TTL is what is left of it. Empty when there is none or no answer."""
    if isinstance(answer, NoReply):
        return MxSet()
    records, _end = resolved_records(domain, "MX", answer)
    return MxSet.of(
        [as_found(record.preference, record.value) for record in records],
        min((record.ttl for record in records), default=None),
    )


def _says_nothing(answer: DnsAnswer) -> bool:
    """Tell whether an answer is none at all, or one of a server that does no recursion for us."""
    if isinstance(answer, NoReply) or answer.rcode == "REFUSED":
        return True
    return answer.rcode in _ANSWERED and problem_of(answer) is not None


def _host(name: str, ipv4: DnsAnswer, ipv6: DnsAnswer) -> Host:
    addresses: list[str] = []
    end = name
    for answer, rdtype in ((ipv4, "A"), (ipv6, "AAAA")):
        if isinstance(answer, DnsReply):
            records, end_here = resolved_records(name, rdtype, answer)
            addresses += [record.value for record in records]
            end = end_here if end_here != name else end
    return Host(
        name,
        tuple(sorted(set(addresses))),
        problem_of(ipv4) or problem_of(ipv6),
        exists=not all(isinstance(answer, DnsReply) and answer.rcode == "NXDOMAIN" for answer in (ipv4, ipv6)),
        alias_of=end if end != name else None,
    )


def _exchangers(domain: str, answer: DnsAnswer, found: MxSet, hosts: Mapping[str, Host]) -> MailExchangers:
    problem = problem_of(answer)
    if problem is not None or isinstance(answer, NoReply):
        return MailExchangers(domain, problem=problem)
    return MailExchangers(
        domain,
        found,
        hosts_by_name(hosts[name] for name in hosts_needed(domain, {domain: found})),
        exists=answer.rcode != "NXDOMAIN",
        ttl_left=time_left(answer, found),
    )


def time_left(reply: DnsReply, found: MxSet) -> int | None:
    """Give the seconds for which a resolver keeps an answer, which for "no such records" its SOA tells (RFC 2308)."""
    if found.records:
        return found.ttl
    return next((record.ttl for record in reply.authority if record.rdtype == "SOA"), None)
