# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The parameters of main.cf that decide where mail goes, as values. Pure. Private.

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

from ansible_collections.mailops.split_domain.plugins.module_utils.errors import InvalidInput, ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_keys import ExtensionRules
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lists import (
    DomainList,
    parse_patterns,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.route_trace_lookups import (
    Table,
    TableList,
)

# What the way of an address depends on. master.cf may give a service other values of its own (postconf -P).
DECIDING = (
    "alias_maps", "allow_min_user", "append_at_myorigin", "append_dot_mydomain", "canonical_classes", "canonical_maps",
    "content_filter", "default_transport", "fallback_transport", "fallback_transport_maps", "local_recipient_maps",
    "local_transport", "luser_relay", "mailbox_transport", "mailbox_transport_maps", "mydestination", "mydomain",
    "myorigin", "parent_domain_matches_subdomains", "propagate_unmatched_extensions", "receive_override_options",
    "recipient_canonical_classes", "recipient_canonical_maps", "recipient_delimiter", "relay_domains",
    "relay_recipient_maps", "relay_transport", "relayhost", "relocated_maps", "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps", "smtpd_client_restrictions", "smtpd_helo_restrictions",
    "smtpd_recipient_restrictions", "smtpd_reject_unlisted_recipient", "smtpd_relay_restrictions",
    "smtpd_sender_restrictions", "transport_maps", "virtual_alias_domains", "virtual_alias_maps",
    "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_transport",
)  # fmt: skip


class TraceSettings:
    """A server's main.cf, every ``$name`` expanded. Each list in it is read once, for all addresses."""

    def __init__(
        self, parameters: Mapping[str, str], read_file: Callable[[str], str], table_of: Callable[[str], Table]
    ) -> None:
        """``read_file`` gives the text of a file in a list of domains, ``table_of`` the table of a name in main.cf."""
        self.parameters = parameters
        self.table_of = table_of
        self._read_file = read_file
        self.words = lru_cache(maxsize=None)(self._words)
        """Gives the elements of a list value; raises ServerStateError for one that Postfix cannot read either."""
        self.tables = lru_cache(maxsize=None)(self._tables)
        """Gives the tables of a parameter."""
        self.domains = lru_cache(maxsize=None)(self._domains)
        """Gives the domains of a parameter."""

    def value(self, name: str) -> str:
        """Give the value of a parameter; one that this Postfix does not have is empty."""
        return self.parameters.get(name, "")

    def is_on(self, name: str) -> bool:
        """Tell whether a parameter says yes."""
        return self.value(name).lower() == "yes"

    def parents_match(self, name: str) -> bool:
        """Tell whether ``example.com`` stands for its sub-domains too in a parameter's tables."""
        return name in self.words("parent_domain_matches_subdomains")

    @cached_property
    def extensions(self) -> ExtensionRules:
        """How addresses fall into user and extension here."""
        return ExtensionRules(
            self.value("recipient_delimiter"),
            self.value("owner_request_special").lower() != "no",
            self.value("double_bounce_sender") or "double-bounce",
        )

    def propagates(self, kind: str) -> bool:
        """Tell whether an extension that no key had goes to the addresses of a result (``canonical``, ``virtual``)."""
        return kind in self.words("propagate_unmatched_extensions")

    def _words(self, name: str) -> tuple[str, ...]:
        try:
            return words(self.value(name))
        except InvalidInput as error:
            raise ServerStateError(
                f"The value of {name} in main.cf is {self.value(name)!r}, with an opening brace that is not closed: "
                "close it first"
            ) from error

    def _tables(self, name: str) -> TableList:
        return TableList(name, tuple(self.table_of(word) for word in self.words(name)))

    def _domains(self, name: str) -> DomainList:
        patterns = tuple(parse_patterns(self.words(name), self._read_file, self.table_of))
        # Of the lists that name an address class, relay_domains alone knows parents.
        return DomainList(name, patterns, self.parents_match(name) if name == "relay_domains" else None)
