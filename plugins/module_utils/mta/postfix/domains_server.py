# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A Postfix server with split domains: reading what stands there and planning what shall. Private.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import ServerStateError
from ansible_collections.mailops.split_domain.plugins.module_utils.base.names import is_ip_address
from ansible_collections.mailops.split_domain.plugins.module_utils.model.domain_settings import (
    DomainSettings,
    DomainsRequest,
    servers_of,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import (
    AskPeer,
    Introduction,
    PeerAnswer,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.peer_survey import Survey, survey_peers
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.plan import Plan
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    DEFAULT_CONFIG_DIRECTORY,
    expanded,
    is_running,
    read_server,
    read_text_file,
    server_lock,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.elements import words
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.tls_authorities import (
    read_authorities,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.setup.configuration import (
    Configurator,
    Findings,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.server_state import ServerState
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import AskForProof, dane_warnings
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay, place_of

_PARAMETERS = (
    "smtp_helo_name",
    "address_verify_sender",
    "myorigin",
    "smtp_bind_address",
    "inet_interfaces",
)
_NULL_SENDERS = ("", "<>")


class PostfixDomainsServer:
    """The Postfix instance of one configuration directory, as a server of split domains."""

    def __init__(
        self, ask_peer: AskPeer, ask_for_proof: AskForProof, config_directory: str = DEFAULT_CONFIG_DIRECTORY
    ) -> None:
        """Name the instance, and who asks other sites and the DNS for it; nothing is read yet."""
        self._ask_peer = ask_peer
        self._ask_for_proof = ask_for_proof
        self._config_directory = config_directory
        self._configurator = Configurator(config_directory)

    def locked(self, patience: float) -> AbstractContextManager[None]:
        """Keep other runs away from the instance's configuration, waiting for their end for so many seconds."""
        return server_lock(self._config_directory, patience)

    def plan_domains(self, request: DomainsRequest) -> Plan:
        """Plan the split settings: the tables that they compile to, our part of main.cf, and the reload."""
        state = self._configurator.state()
        before = state.domains
        after = {} if request.purge else {name: old for name, old in before.items() if name not in request.absent}
        after.update((entry.domain, entry) for entry in request.present)
        for name in sorted(after.keys() & state.modes.keys()):
            raise ServerStateError(
                f"{name} has the routing mode {state.modes[name].mode} on this server (email_routing), and a split "
                "says by itself where its mail goes: give it the state absent in email_routing first, or do not split "
                "it here"
            )
        server = read_server(self._config_directory)
        running = is_running(self._config_directory)
        standing = self._configurator.verdicts(before.values())
        survey = self._survey(request)
        findings = Findings(survey.verdicts, request.passwords)
        found = self._configurator.plan(server, state, ServerState(after, state.modes), running, findings)
        verdicts = {**self._configurator.verdicts(after.values()), **survey.verdicts}
        names = sorted({*(entry.domain for entry in request.present), *request.absent, *(before.keys() - after.keys())})
        return Plan(
            steps=found.steps,
            values={
                "domains": [
                    _reported(
                        _Report(before.get(name), standing.get(name)),
                        _Report(after.get(name), verdicts.get(name)),
                        name,
                    )
                    for name in names
                ],
                "running": running,
                "server_changed": bool(found.steps),
            },
            diffs=found.diffs,
            warnings=(
                *survey.warnings,
                *found.warnings,
                *dane_warnings(servers_of(request.present), self._ask_for_proof),
            ),
        )

    def _survey(self, request: DomainsRequest) -> Survey:
        """Ask the next sites of the domains that have to be verified, logging in where Postfix would."""
        settings = request.present
        if not any(entry.verified_peer for entry in settings):
            return Survey({})
        earlier = self._configurator.verdicts(settings)
        passwords = {**self._configurator.passwords(), **request.passwords}

        def ask(server: Relay, recipients: Sequence[str], introduction: Introduction) -> Sequence[PeerAnswer]:
            password = passwords.get(place_of(server))
            return self._ask_peer(replace(server, password=password), recipients, introduction)

        return survey_peers(settings, earlier, ask, read_introduction(self._config_directory))


@dataclass(frozen=True)
class _Report:
    """What is told of one domain at one time."""

    settings: Optional[DomainSettings]
    verdict: Optional[str]

    def as_arguments(self) -> Optional[dict[str, Any]]:
        return self.settings.as_arguments() if self.settings else None


def _reported(before: _Report, after: _Report, domain: str) -> dict[str, Any]:
    return {
        "domain": domain,
        "before": before.as_arguments(),
        "after": after.as_arguments(),
        "verdict_before": before.verdict,
        "verdict": after.verdict,
        "changed": before != after,
    }


# How a Postfix server introduces itself where it verifies addresses: its name, sender and address.


def read_introduction(config_directory: str) -> Introduction:
    """Read what smtp(8) says of itself in the probes of verify(8) (postconf(5), address_verify_sender)."""
    values = expanded(config_directory, _PARAMETERS)
    sender = values["address_verify_sender"].strip()
    if sender in _NULL_SENDERS:
        sender = ""
    elif "@" not in sender:
        sender = f"{sender}@{_origin(values['myorigin'])}"
    return Introduction(values["smtp_helo_name"], sender, _source(values), read_authorities(config_directory))


def _origin(myorigin: str) -> str:
    """Give the domain that bare addresses get; as on Debian, it may be the first line of a file."""
    if not myorigin.startswith("/"):
        return myorigin
    lines = (read_text_file(Path(myorigin)) or "").split()
    return lines[0] if lines else "localhost"


def _source(values: Mapping[str, str]) -> str | None:
    """Give the address that smtp(8) binds to: the one it is told, or the only one that Postfix listens at."""
    interfaces = words(values["inet_interfaces"])
    for candidate in (values["smtp_bind_address"], *(interfaces if len(interfaces) == 1 else ())):
        bare = str(candidate).strip("[]")
        if is_ip_address(bare) and ":" not in bare and not bare.startswith(("127.", "0.")):
            return bare
    return None
