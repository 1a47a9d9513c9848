# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The TLS policies of relays: rows of smtp_tls_policy_maps, and what the server has to have for them. Private.

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.main_cf import MainCf
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import DNSSEC_POLICIES
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, login_warnings, place_of
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import FINGERPRINT, MAY, VERIFY

POLICIES = "tls_policy"
_SUPPORT = "smtp_dns_support_level"
CONSULTED = (
    _SUPPORT,
    "disable_dns_lookups",
    "smtp_host_lookup",
    "smtp_dns_resolver_options",
    "ignore_mx_lookup_error",
    "smtp_tls_fingerprint_digest",
    "smtp_tls_CAfile",
    "smtp_tls_CApath",
    "tls_append_default_CA",
)
_DIGEST = "sha256"
_DNSSEC = "dnssec"


def policy_rows(servers: Iterable[Relay], subdomains: Mapping[str, Relay]) -> dict[str, str]:
    """Give the rows of smtp_tls_policy_maps (postconf(5)) for those servers of relays that have a policy of their own.

    smtp(8) asks for each server of a next hop by itself. ``subdomains`` are next hops found by MX, with the relay of
    the site whose they are: there its policy holds for every exchanger. "may" is no policy: the server's own counts.
    """
    return {
        **{name: _policy(relay.servers) for name, relay in subdomains.items() if relay.tls != MAY},
        **{place_of(server): _policy([server]) for server in servers if server.tls != MAY},
    }


def policy_parameters(servers: Iterable[Relay]) -> dict[str, str]:
    """Give the parameters without which Postfix would pass over these servers' policies, saying so in its log alone."""
    return {_SUPPORT: _DNSSEC} if any(server.tls in DNSSEC_POLICIES for server in servers) else {}


def policies_come_after(before: MainCf, after: MainCf) -> bool:
    """Tell whether a change of main.cf has to be in force before policies change that stand already.

    With DANE in a row and without DNSSEC Postfix sends over any TLS, where another policy wanted more before.
    """
    return after.value(_SUPPORT) == _DNSSEC != before.value(_SUPPORT)


def refuse_unfit_policies(servers: Iterable[Relay], values: Mapping[str, str]) -> tuple[str, ...]:
    """Give warnings for policies that this server cannot keep yet; ``values`` are its CONSULTED parameters, expanded.

    Raises ServerStateError where it could never keep one.
    """
    warnings: list[str] = []
    servers = tuple(servers)
    for server in servers:
        hindrance = _hindrance_to_dane(values) if server.tls in DNSSEC_POLICIES else None
        if hindrance is not None:
            raise ServerStateError(
                f"the relay {server} has tls {server.tls}, and Postfix looks for no signed records with {hindrance} in "
                f"main.cf: remove that, which concerns all of the server's mail, or choose another policy"
            )
        if server.tls == FINGERPRINT and values["smtp_tls_fingerprint_digest"] != _DIGEST:
            raise ServerStateError(
                f"the relay {server} has SHA-256 fingerprints, and this server compares "
                f"{values['smtp_tls_fingerprint_digest']} ones: set smtp_tls_fingerprint_digest = sha256 in main.cf"
            )
        if server.tls == VERIFY and not _has_authorities(values):
            warnings.append(
                f"the relay {server} has tls verify, and this server knows no certificate authority, so that all mail "
                f"for it waits: set smtp_tls_CAfile or smtp_tls_CApath in main.cf, or use fingerprints"
            )
    return tuple(dict.fromkeys([*warnings, *login_warnings(servers)]))


def _hindrance_to_dane(values: Mapping[str, str]) -> str | None:
    """Give the setting of the server's own that makes an end of DANE (smtp(8), postconf(5)); None without one."""
    if not values[_SUPPORT] and values["disable_dns_lookups"] == "yes":
        return "disable_dns_lookups = yes"
    hindrances = {
        _SUPPORT: values[_SUPPORT].lower() == "disabled",
        "smtp_host_lookup": "dns" not in words(values["smtp_host_lookup"].lower()),
        "smtp_dns_resolver_options": bool(values["smtp_dns_resolver_options"]),
        "ignore_mx_lookup_error": values["ignore_mx_lookup_error"] == "yes",
    }
    return next((f"{name} = {values[name]}" for name, is_one in hindrances.items() if is_one), None)


def _policy(servers: Sequence[Relay]) -> str:
    """Give the policy of the first of some servers, which takes the certificates of all that have the same."""
    level = servers[0].tls
    alike = [server for server in servers if server.tls == level]
    if level == FINGERPRINT:
        return f"{level} match={'|'.join(_distinct(server.tls_match for server in alike))}"
    if level == VERIFY:
        # The name itself, and not what the exchanger of a subdomain is called: records may be forged.
        return f"{level} match={':'.join(_distinct(server.tls_match or (server.host,) for server in alike))}"
    return level


def _distinct(groups: Iterable[Sequence[str]]) -> list[str]:
    return sorted({one for group in groups for one in group})


def _has_authorities(values: Mapping[str, str]) -> bool:
    return bool(values["smtp_tls_CAfile"] or values["smtp_tls_CApath"] or values["tls_append_default_CA"] == "yes")
