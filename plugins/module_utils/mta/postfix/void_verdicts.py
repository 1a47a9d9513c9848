# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Which changes make cached verdicts of call-ahead void, and the steps that a change gets for it. Private.
#
# Only recipients without a route are asked ahead. So a verdict can mislead when an address loses its route, having been
# asked for before it got one, and when a domain is asked for elsewhere, or again. Nothing else matters.

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.interface import Step
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.commands import (
    PostfixServer,
    is_running,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.verify_cache import (
    ForgetVerdicts,
    NoteVoidVerdicts,
    VerifyCache,
    read_verify_cache,
    void_path,
)


@dataclass(frozen=True)
class Forgetting:
    """What a change gets before and after it so that no void verdict outlives it."""

    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_for_routes(server: PostfixServer, directory: Path, domain: str, without_route: Collection[str]) -> Forgetting:
    """Plan what is due when addresses of a domain that is asked ahead lose their routes."""
    users = {address.rpartition("@")[0] for address in without_route}
    delimiters = server.parameters.get("recipient_delimiter", "")
    return _plan(server, directory, bool(users), lambda cache: cache.may_tell_of(domain, users, delimiters))


def plan_for_domains(server: PostfixServer, directory: Path, asked_anew: Sequence[str]) -> Forgetting:
    """Plan what is due when unknown recipients of domains are asked for at another site, or were not asked for."""
    return _plan(server, directory, bool(asked_anew), lambda cache: any(map(cache.may_tell_of, asked_anew)))


def _plan(
    server: PostfixServer, directory: Path, may_matter: bool, matters: Callable[[VerifyCache], bool]
) -> Forgetting:
    is_noted = void_path(directory).exists()
    if not (may_matter or is_noted):
        return Forgetting()
    cache = read_verify_cache(server.config_directory)
    if not cache.can_be_forgotten:
        said = (
            f"the verdicts of call-ahead are kept in {cache.table} (address_verify_map), which cannot be emptied from "
            "here: some may be void after this change, remove them there"
        )
        return Forgetting(warnings=(said,))
    if not cache.table and not is_running(server.config_directory):
        matters = _never
    if not (is_noted or matters(cache)):
        return Forgetting()
    return Forgetting((NoteVoidVerdicts(directory),), (ForgetVerdicts(server.config_directory, directory, cache),))


def _never(_cache: VerifyCache) -> bool:
    return False
