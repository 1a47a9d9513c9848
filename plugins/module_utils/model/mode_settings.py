# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The routing mode of a domain on one server, as it is asked for and as it is kept. Pure. Private.

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.split_domain.plugins.module_utils.base.addresses import parse_address
from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import canonical_domain
from ansible_collections.mailops.split_domain.plugins.module_utils.model.local_transport import parse_local_transport
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.exchangers import MailExchangers
from ansible_collections.mailops.split_domain.plugins.module_utils.mx.routing_mode import (
    BACKUP_MODE,
    LOCAL_MODE,
    REMOTE_MODE,
    parse_addresses,
)

AUTO_MODE = "auto"
MODES = (LOCAL_MODE, BACKUP_MODE, REMOTE_MODE, AUTO_MODE)
# postconf(5), maximal_queue_lifetime: a number and its unit, which is days when it is left out.
_LIFETIME = re.compile(r"([0-9]{1,6})([smhdw]?)")
# As many seconds as Postfix takes: with one more its queue manager does not start.
_LONGEST_LIFETIME = 2**31 - 1
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class RoutingSettings:
    """The routing mode of one domain on one server, in canonical form.

    ``mode`` is what was asked for and ``effective`` what it came to: the same, unless that is ``auto``.
    ``own_addresses`` are those behind NAT by which the DNS knows this server.
    """

    domain: str
    mode: str
    effective: str
    recipients: tuple[str, ...] = ()
    call_ahead: bool = True
    local_transport: str | None = None
    queue_lifetime: str | None = None
    own_addresses: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RoutingSettings:
        """Read what ``as_json`` gave."""
        return cls(
            **{**data, "recipients": tuple(data["recipients"]), "own_addresses": tuple(data["own_addresses"])},
        )

    def as_json(self) -> dict[str, Any]:
        """Give the settings as they are written down on the server."""
        return {**self.as_arguments(), "effective": self.effective}

    def as_arguments(self) -> dict[str, Any]:
        """Give the settings as one entry of the option ``domains`` of ``email_routing``, without its state."""
        return {
            "domain": self.domain,
            "mode": self.mode,
            "recipients": list(self.recipients),
            "call_ahead": self.call_ahead,
            "local_transport": self.local_transport,
            "queue_lifetime": self.queue_lifetime,
            "own_addresses": list(self.own_addresses),
        }


@dataclass(frozen=True)
class RoutingRequest:
    """What ``email_routing`` is asked for.

    ``wanted`` has each domain with its mode as asked for, not yet decided where that is ``auto``; for those,
    ``exchangers`` says what the DNS says.
    """

    wanted: tuple[RoutingSettings, ...]
    absent: tuple[str, ...] = ()
    exchangers: Mapping[str, MailExchangers] | None = None


def parse_routing(entry: Mapping[str, Any], own_addresses: frozenset[str] = frozenset()) -> RoutingSettings:
    """Read one entry of the option ``domains``, the effective mode left as ``mode``; raises InvalidInput.

    ``own_addresses`` are the server's for entries that name none themselves.
    """
    domain = canonical_domain(str(entry["domain"]))
    mode = entry.get("mode")
    if mode not in MODES:
        raise InvalidInput(f"{domain} has no routing mode: give 'mode' as one of {', '.join(MODES)}")
    recipients = tuple(sorted({_parse_recipient(text, domain) for text in entry.get("recipients") or ()}))
    call_ahead = entry.get("call_ahead")
    named_addresses = entry.get("own_addresses")
    if call_ahead is False and not recipients and mode != REMOTE_MODE:
        raise InvalidInput(
            f"{domain} would take no mail at all: it has no recipients, and call_ahead is off; "
            "list its recipients, or leave call_ahead on so that others are asked for"
        )
    return RoutingSettings(
        domain=domain,
        mode=mode,
        effective=mode,
        recipients=recipients,
        call_ahead=True if call_ahead is None else bool(call_ahead),
        local_transport=parse_local_transport(entry.get("local_transport"), domain),
        queue_lifetime=_parse_lifetime(entry.get("queue_lifetime"), domain),
        own_addresses=tuple(sorted(own_addresses if named_addresses is None else parse_addresses(named_addresses))),
    )


def seconds_of(lifetime: str) -> int:
    """Give a queue lifetime in seconds."""
    found = _LIFETIME.fullmatch(lifetime)
    return int(found[1]) * _SECONDS[found[2] or "d"] if found else 0


def _parse_recipient(text: Any, domain: str) -> str:
    address = parse_address(str(text))
    if address.domain != domain:
        raise InvalidInput(
            f"the recipient {text!r} does not belong to {domain}: remove it, or list it under {address.domain}"
        )
    return str(address)


def _parse_lifetime(value: Any, domain: str) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    if not _LIFETIME.fullmatch(text) or not 0 < seconds_of(text) <= _LONGEST_LIFETIME:
        raise InvalidInput(
            f"{domain} has queue_lifetime {value!r}: write a number above 0 and its unit s, m, h, d or w, as in 10d, "
            "that make no more than 24855d"
        )
    return text if text[-1].isalpha() else f"{text}d"
