# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# What may be published as exchanges of the split domain on the laboratory, and what may not.
"""Publication of MX records by the role mx, which asks the exchanges first."""

from __future__ import annotations

import json
from collections.abc import Mapping

from laboratory.description import LAB_FOLDER, LabError, lab_description
from laboratory.expectations import CLOUD, DOMAIN, HQ, OUTSIDE
from laboratory.inventory import INVENTORY
from laboratory.playbook_run import ansible_playbook, run_playbook
from laboratory.podman import run_in

PLAYBOOK = LAB_FOLDER / "maps" / "exchanges" / "publish.yml"
NAME_SERVER_FQDN = "ns1.example.net"
USUAL = {HQ: 10}


def prove_exchanges(_form: str) -> list[str]:
    """Try to publish exchanges that would not take the mail of the domain, and some that do; give what went wrong."""
    faults = _refused({HQ: 10, NAME_SERVER_FQDN: 20}, f"nothing listens on {NAME_SERVER_FQDN} port 25")
    faults += _refused({OUTSIDE: 10, HQ: 20}, "which senders try first, refuses its mail: it answered 554")
    faults += _published({OUTSIDE: 10, HQ: 20}, mx_check_exchanges=False)
    faults += _published({HQ: 10, CLOUD: 10})
    return faults + _published(USUAL)


def _refused(mx: Mapping[str, int], because: str) -> list[str]:
    before = _held()
    try:
        _publish(mx)
    except LabError as error:
        print(f"{dict(mx)}: {error}")
        faults = [] if because in str(error) else [f"{dict(mx)} is refused with other words: {error}"]
    else:
        faults = [f"{dict(mx)} is published"]
    return faults if _held() == before else [*faults, f"the zone has {_held()} instead of {before}"]


def _published(mx: Mapping[str, int], **variables: object) -> list[str]:
    try:
        _publish(mx, **variables)
    except LabError as error:
        return [f"{dict(mx)} is refused: {error}"]
    print(f"{dict(mx)}: published")
    wanted = sorted(f"{preference} {exchange}." for exchange, preference in mx.items())
    return [] if _held() == wanted else [f"the zone has {_held()} instead of {wanted}"]


def _publish(mx: Mapping[str, int], **variables: object) -> None:
    records = [{"preference": preference, "exchange": exchange} for exchange, preference in mx.items()]
    run_playbook(
        ansible_playbook(str(PLAYBOOK), "-i", str(INVENTORY), "-e", json.dumps({"lab_mx": records, **variables}))
    )


def _held() -> list[str]:
    name_server = lab_description().name_server.name
    return sorted(run_in(name_server, "dig", "+short", "@127.0.0.1", DOMAIN, "MX").out.splitlines())
