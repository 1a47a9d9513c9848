# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: email_routing needs no survey. Looks up the exchangers of domains that follow the DNS. Private.

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import (
    LibraryMissing,
    ResolverUseless,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.library import (
    MINIMUM_FOR_LOOKING_UP,
    require_dnspython,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.own_resolvers import (
    resolvers_of_this_host,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.resolving import (
    Resolver,
    look_up_exchangers,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers


def exchangers_of(
    domains: Iterable[str], resolvers: Sequence[str], port: int, is_needed: bool = True
) -> dict[str, MailExchangers]:
    """Give what the DNS says of canonical domains, asked of these resolvers or, when there are none, of this host's.

    What cannot be looked up is a problem of its domain and no failure, also when no resolver answers at all: mail goes
    on as before then. Without a DNS library nothing is known of any domain where that is not needed; raises
    LibraryMissing where it is.
    """
    try:
        require_dnspython(MINIMUM_FOR_LOOKING_UP)
    except LibraryMissing:
        if is_needed:
            raise
        return {}
    wanted = list(domains)
    try:
        return look_up_exchangers(Resolver(resolvers or resolvers_of_this_host(), port), wanted)
    except ResolverUseless as error:
        return {domain: MailExchangers(domain, problem=str(error)) for domain in wanted}
