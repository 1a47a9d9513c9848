# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records on a BIND with views: the key decides which of two zones of one name is read and written.

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.tsig
import pytest
from authoritative_server import APEX, READER, SECRETS, START_SECONDS, WRITER
from named_server import Named, started_named

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}
# Each view belongs to the key of the same place; here both keys may write, each in its own view.
VIEWS = {"inside": WRITER, "outside": READER}


def view(name: str, key: str, folder: Path) -> str:
    file = folder / f"{name}.zone"
    file.write_text(f"{APEX}ns1 A 127.0.0.1\n", encoding="utf-8")
    return (
        f'view "{name}" {{ match-clients {{ key "{key}"; }}; zone "example.com" {{ type primary; '
        f'file "{file}"; update-policy {{ grant {key} zonesub MX; }}; }}; }};\n'
    )


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Named]:
    """Run a BIND on which who has no key belongs to no view."""
    folder = tmp_path_factory.mktemp("views")
    with started_named({}, extra="".join(view(name, key, folder) for name, key in VIEWS.items())) as running:
        # It refuses who has no key before it has read the zones of its views.
        deadline = time.monotonic() + START_SECONDS
        while "all zones loaded" not in running.log():
            assert time.monotonic() < deadline, running.log()
            time.sleep(0.05)
        yield running


def shown_in(views: Named, name: str, owner: str) -> list[tuple[int, str]]:
    """Give the MX records that a client sees who signs with the key of a view."""
    question = dns.message.make_query(owner, "MX")
    question.use_tsig(dns.tsig.Key(dns.name.from_text(VIEWS[name]), SECRETS[VIEWS[name]], dns.tsig.HMAC_SHA256))
    answer = dns.query.tcp(question, views.address, 5, views.port).answer
    return sorted((one.preference, one.exchange.to_text()) for rrset in answer for one in rrset)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_each_key_reads_and_writes_its_own_view(views, protocol):
    owner = f"{protocol}.example.com"
    inside = views.params({"name": owner, "mx": [MX1]}, key=VIEWS["inside"], protocol=protocol)
    outside = views.params({"name": owner, "mx": [MX2]}, key=VIEWS["outside"], protocol=protocol)
    for params in (inside, outside):
        assert publish_mx_records(params, True).changed
        assert publish_mx_records(params, False).changed
    assert shown_in(views, "inside", owner) == [(10, "mx1.example.com.")]
    assert shown_in(views, "outside", owner) == [(20, "mx2.example.com.")]
    for params in (inside, outside):
        assert not publish_mx_records(params, False).changed


def test_who_belongs_to_no_view_is_refused_and_told(views):
    with pytest.raises(failures.ServerRefused, match=r"without a key.* REFUSED"):
        publish_mx_records(views.params({"name": "example.com", "mx": [MX1]}, key=None), False)
