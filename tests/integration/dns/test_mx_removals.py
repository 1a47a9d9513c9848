# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the guard against removals, on a real server: nothing is written, and check mode says the same.

from __future__ import annotations

import pytest
from named_server import Named

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import RemovalNotAllowed
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    "wish", [{"state": "exact", "mx": []}, {"state": "absent", "mx": [MX1]}], ids=["exact", "absent"]
)
def test_the_last_record_stays_unless_its_removal_is_allowed(
    named: Named, wish: dict[str, object], check_mode: bool
) -> None:
    publish_mx_records(named.params({"name": "a.example.com", "mx": [MX1]}), False)
    serial = named.serial("example.com")
    also = {"name": "b.example.com", "mx": [MX1]}
    params = named.params(also, {"name": "a.example.com", **wish}, allow_removal=False)
    with pytest.raises(RemovalNotAllowed, match=r"^a.example.com would be left without any MX record"):
        publish_mx_records(params, check_mode)
    assert named.serial("example.com") == serial
    assert publish_mx_records({**params, "allow_removal": True}, check_mode).changed


def test_one_exchanger_does_not_vanish_from_many_names_at_once(named: Named) -> None:
    names = [f"n{number}.example.com" for number in range(10)]
    publish_mx_records(named.params(*({"name": name, "mx": [MX1, MX2]} for name in names)), False)
    serial = named.serial("example.com")
    gone = [{"name": name, "state": "absent", "mx": [MX2]} for name in names]
    with pytest.raises(RemovalNotAllowed, match="10 of the 10 MX sets that there are would lose records"):
        publish_mx_records(named.params(*gone, allow_removal=False), False)
    # Another preference for the one that stays puts nobody in the place of the one that goes.
    lessened = [{"name": name, "mx": [{**MX1, "preference": 11}]} for name in names]
    with pytest.raises(RemovalNotAllowed, match="10 of the 10 MX sets that there are would lose records"):
        publish_mx_records(named.params(*lessened, allow_removal=False), False)
    assert named.serial("example.com") == serial
    assert publish_mx_records(named.params(*gone, allow_removal=False, removal_share=1.0), False).changed
