# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The tests' own Internet at work: a root server, two servers for all zones, one with defects, and a resolver.

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from defective_server import Defect, defective_server
from knot_server import Knot, started_knot
from named_server import Named
from recursive_named import started_resolver
from zones import DEFECTIVE, FIRST, ROOT, SECOND, Zone, parent_files

# The servers of these know the delegations of all other zones.
ROOT_ZONE = Zone(".", servers=("ns0",))
TOP_LEVEL = (Zone("xa", servers=("ns0",)), Zone("arpa", servers=("ns0",)))


@dataclass(frozen=True)
class Internet:
    """The servers, all running."""

    first: Knot
    second: Knot
    resolver: Named

    def params(self, *names: str, **options: Any) -> dict[str, Any]:
        """Give the options of mx_info, as Ansible would hand them over."""
        return {
            "names": list(names),
            "own_addresses": [],
            "servers": [],
            "resolver": [self.resolver.address],
            "resolver_port": self.resolver.port,
            "port": 53,
            "timeout": 2.0,
            **options,
        }


@contextlib.contextmanager
def started_internet(
    zones: Sequence[Zone], defects: Mapping[str, Defect], parents: Sequence[Zone] = (ROOT_ZONE, *TOP_LEVEL)
) -> Iterator[Internet]:
    """Start all servers with these zones and give them when they answer; they are ended after."""
    with (
        started_knot(ROOT, parent_files(parents, zones)),
        started_knot(FIRST, {zone.name: zone.text() for zone in zones}) as first,
        started_knot(SECOND, {zone.name: zone.text(second=True) for zone in zones}) as second,
        defective_server(DEFECTIVE, FIRST, defects),
        started_resolver(ROOT) as resolver,
    ):
        yield Internet(first, second, resolver)
