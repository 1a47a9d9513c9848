# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The restrictions that a server with split domains answers recipients by, and the tables they look into. Pure. Private.
#
# The mechanisms and their reasons are explained in docs/architecture/postfix_setup.md.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

CALL_AHEAD_CLASS = "split_domain_call_ahead"
VERIFY_CLASS = "split_domain_verify"
REFUSE_CLASS = "split_domain_refuse_unknown"
UNLISTED_CLASS = "split_domain_refuse_unlisted"
SKIP_CLASS = "split_domain_skip"
REMOTE_CLASS = "split_domain_remote"
# Parameters that give tables a name, so that main.cf can be read.
ROUTES = "split_domain_routes"
ALIASES = "split_domain_aliases"
DOMAINS = "split_domain_domains"
LOCAL_DESTINATIONS = "split_domain_destinations"
FALLBACKS = "split_domain_fallbacks"
KNOWN = "split_domain_known"
QUESTION = "split_domain_question"
SUBDOMAINS = "split_domain_subdomains"
FORWARDED = "split_domain_forwarded"
NO_LOCAL_PART = "split_domain_no_local_part"
RECIPIENTS = "split_domain_recipients"
# The tables whose entries make the server take mail of a domain, or send its unknown recipients elsewhere.
MAIL_DOMAINS = "mail_domains"
LOCAL_DOMAINS = "local_domains"
# The tables that lead from what Postfix asks for to the question about unknown recipients.
QUESTION_OF_DOMAIN = "question_of_domain"
QUESTION_OF_PARENT = "question_of_parent"
QUESTION_OF_NOBODY = "question_of_nobody"
WILDCARD_QUESTIONS = "wildcard_questions"
QUESTION_PATTERNS = {
    QUESTION_OF_DOMAIN: "/^([^@]+)$/ ?$1\n",
    QUESTION_OF_PARENT: "/^[^@.]+\\.([^@]+)$/ ?$1\n",
    # Postfix asks for the quoted form of an address before the other.
    QUESTION_OF_NOBODY: '/^("")?@([^@]+)$/ ?$2\n',
}
_MARK = "?"
LOOP = "554 5.4.6 Mail loop: the mailbox lives on the site that sent this"
UNKNOWN_HERE_AND_THERE = "550 5.1.1 User unknown on this site and on the one that sent this"
UNLISTED = "550 5.1.1 User unknown"
# What strangers are told where another site was asked, or cannot be: nothing of that site. The log says more.
NEUTRAL = "Address lookup failed"
# What access(5) takes for "no answer". In a table whose answers may be joined with others a class has to say it.
NO_ANSWER = "DUNNO"


def question_key(domain: str) -> str:
    """Give the key under which a domain has the question about its unknown recipients.

    A client can have Postfix look up whatever address it writes, and transport_maps has this table. So the key is one
    that comes out of no address: it has no ``@``, as each address has, and ``?`` is in no name of a domain, so that
    trivial-rewrite(8) looks up nothing for it (RFC 1123 section 2.1; ``valid_hostname``).
    """
    return _MARK + domain


def questions_in(rows: Mapping[str, str]) -> dict[str, str]:
    """Give the questions that rows of a table have, by domain."""
    return {key[len(_MARK) :]: answer for key, answer in rows.items() if is_question(key)}


def is_question(key: str) -> bool:
    """Tell whether a key, or a row, is the question of a domain."""
    return key.startswith(_MARK)


def named_tables(
    known_elsewhere: Sequence[str],
    tables: TableNames,
    forwarding_classes: Sequence[str] = (),
    destinations: bool = False,
) -> dict[str, str]:
    """Give the tables that restrictions are made of, as parameters of our own.

    ``forwarding_classes`` are further classes of unknown recipients that are forwarded, or will be; ``destinations``
    tells whether there are split domains in mydestination.
    Their answers are restriction classes, because unionmap joins what several tables say about one key.
    """
    # No pattern: virtual(8) reads this, and lets no part of a key into a result (regexp_table(5)).
    wildcard = tables.indexed(WILDCARD_QUESTIONS)
    forwarded = dict.fromkeys((CALL_AHEAD_CLASS, SKIP_CLASS, *forwarding_classes), "yes")
    return {
        ROUTES: tables.indexed("routes"),
        ALIASES: tables.indexed("aliases"),
        DOMAINS: tables.indexed(MAIL_DOMAINS),
        FALLBACKS: f"unionmap:{{${DOMAINS},${LOCAL_DESTINATIONS}}}" if destinations else f"${DOMAINS}",
        **({LOCAL_DESTINATIONS: tables.indexed(LOCAL_DOMAINS)} if destinations else {}),
        KNOWN: ",".join(
            f"pipemap:{{{table},static:{SKIP_CLASS}}}" for table in (f"${ROUTES}", f"${ALIASES}", *known_elsewhere)
        ),
        QUESTION: f"pipemap:{{regexp:{tables.path(QUESTION_OF_DOMAIN)},${FALLBACKS}}}",
        FORWARDED: f"pipemap:{{{wildcard},${FALLBACKS},{inline(forwarded)}}}",
        NO_LOCAL_PART: f"pipemap:{{regexp:{tables.path(QUESTION_OF_NOBODY)},${FALLBACKS},static:{UNLISTED_CLASS}}}",
        SUBDOMAINS: f"pipemap:{{regexp:{tables.path(QUESTION_OF_PARENT)},${FALLBACKS},static:{SKIP_CLASS}}}",
    }


def of_unknowns(answer: str) -> str:
    """Give the restriction that looks ``answer`` up for recipients without a route of their own.

    ``answer`` is a table whose keys are split domains. access(5) asks for user+extension@domain, user@domain, domain
    and then for parent domains: a known address ends the search at its own key, and a subdomain of a split domain
    ends it one key before the split domain, because it is somebody else's. An address without a local part is refused,
    whoever sends there and whatever takes unknown recipients.
    """
    return f"check_recipient_access unionmap:{{${KNOWN},${NO_LOCAL_PART},{answer},${SUBDOMAINS}}}"


def split_horizon(transports: Sequence[str], strict_classes: Mapping[str, str]) -> str:
    """Give the restrictions for clients that stand for these transports: nothing goes back where it came from.

    ``strict_classes`` are further classes of unknown recipients, each with the one that stands for it here.
    """
    loop = inline(dict.fromkeys(transports, LOOP))
    unknown = inline(dict.fromkeys(transports, REFUSE_CLASS))
    strictly = inline(
        {CALL_AHEAD_CLASS: VERIFY_CLASS, SKIP_CLASS: SKIP_CLASS, UNLISTED_CLASS: UNLISTED_CLASS, **strict_classes}
    )
    return ", ".join(
        (
            f"check_recipient_access pipemap:{{${ROUTES},{loop}}}",
            f"check_recipient_access pipemap:{{${ALIASES},${ROUTES},{loop}}}",
            of_unknowns(f"pipemap:{{${FALLBACKS},{unknown}}}"),
            # A peer may be in mynetworks, and still its own peers get their final answer through us.
            of_unknowns(f"pipemap:{{${QUESTION},{strictly}}}"),
        )
    )


def inline(answers: Mapping[str, str]) -> str:
    """Give an inline table; its keys must not hold white space (inline_table(5))."""
    return f"inline:{{{','.join(f'{{{key} = {value}}}' for key, value in answers.items())}}}"


# An alias of the server's own may be left of a domain that has moved away. It does not make its mail wanted here.
# Joined tables are asked for domains only where the first of them is no pattern: hence one without any answer.
OF_REMOTE_DOMAINS = (
    f"check_recipient_access unionmap:{{{inline({'@': SKIP_CLASS})},"
    f"pipemap:{{${QUESTION},{inline({REMOTE_CLASS: REMOTE_CLASS})}}},${SUBDOMAINS}}}"
)

# Where the tables of this collection are on a Postfix server.


@dataclass(frozen=True)
class TableNames:
    """Where the tables are, as Postfix names them: ``type:path`` for indexed ones."""

    directory: str
    indexed_type: str

    def path(self, name: str) -> str:
        """Give the path of a table's text."""
        return f"{self.directory}/{name}"

    def indexed(self, name: str) -> str:
        """Give an indexed table as Postfix reads it."""
        return f"{self.indexed_type}:{self.path(name)}"
