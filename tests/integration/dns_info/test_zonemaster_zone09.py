# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_info on the scenarios of Zonemaster's test case Zone09, each a real zone on real name servers.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from defective_server import not_authoritative_on_mx, not_implemented_on_mx, silent_on_mx
from internet import ROOT_ZONE, TOP_LEVEL, started_internet
from zones import DEFECTIVE, FIRST, Zone

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.mx_information import inform_about_mx

MX = "@ MX 10 mail\n"
TWO = MX + "@ MX 20 mail2\n"
NULL = "@ MX 0 .\n"
ONE_DEFECTIVE, ALL_DEFECTIVE = ("ns1", "ns3"), ("ns3",)

# The scenarios as the test zones of Zonemaster have them: the zone, and the codes of the faults that are to be found.
SCENARIOS: dict[str, tuple[Zone, list[str]]] = {
    "NO-RESPONSE-MX-QUERY-1": (Zone("no-response-1.xa", MX, servers=ONE_DEFECTIVE), ["server_silent"]),
    "NO-RESPONSE-MX-QUERY-2": (
        Zone("no-response-2.xa", MX, servers=ALL_DEFECTIVE),
        ["no_server_answers", "not_resolvable", "server_silent"],
    ),
    "UNEXPECTED-RCODE-MX": (Zone("rcode.xa", MX, servers=ONE_DEFECTIVE), ["server_error"]),
    "NON-AUTH-MX-RESPONSE": (Zone("non-auth.xa", MX, servers=ONE_DEFECTIVE), ["server_not_authoritative"]),
    "INCONSISTENT-MX": (Zone("inconsistent.xa", MX, ""), ["set_missing_on_servers"]),
    "INCONSISTENT-MX-DATA-1": (Zone("data-1.xa", TWO, "@ MX 20 mail2\n"), ["sets_differ"]),
    "INCONSISTENT-MX-DATA-2": (Zone("data-2.xa", "@ MX 10 mail2\n", "@ MX 20 mail2\n"), ["sets_differ"]),
    "INCONSISTENT-MX-DATA-3": (Zone("data-3.xa", TWO, "@ MX 20 mail\n@ MX 10 mail2\n"), ["sets_differ"]),
    "MIXED-TTL-1": (Zone("ttl-1.xa", "@ 600 MX 10 mail\n@ 600 MX 20 mail2\n", TWO), ["ttls_differ"]),
    "MIXED-TTL-2": (Zone("ttl-2.xa", "@ 600 MX 10 mail\n@ 600 MX 20 mail2\n"), []),
    "NULL-MX-WITH-OTHER-MX": (Zone("null-mixed.xa", NULL + MX), ["null_mx_with_others"]),
    "NULL-MX-NON-ZERO-PREF": (Zone("null-preference.xa", "@ MX 10 .\n"), ["null_mx_preference"]),
    "TLD-EMAIL-DOMAIN": (Zone("mail-tld", MX), ["top_level_domain_takes_mail"]),
    "ROOT-EMAIL-DOMAIN": (Zone(".", "@ MX 10 mail.plain.xa.\n", servers=("ns0",)), ["root_takes_mail"]),
    "ARPA-EMAIL-DOMAIN": (Zone("mail.arpa", MX), ["arpa_takes_mail"]),
    "MX-DATA": (Zone("mx-data.xa", MX), []),
    "NULL-MX-TLD": (Zone("null-tld", NULL), []),
    "NULL-MX-ROOT": (Zone(".", NULL, servers=("ns0",)), []),
    "NULL-MX-ARPA": (Zone("null.arpa", NULL), []),
    "NULL-MX-SLD": (Zone("null.xa", NULL), []),
    "NO-MX-SLD": (Zone("no-mx.xa"), ["no_exchanger"]),
    "NO-MX-TLD": (Zone("no-mx-tld"), []),
    "NO-MX-ROOT": (ROOT_ZONE, []),
    "NO-MX-ARPA": (Zone("no-mx.arpa"), []),
}
PUBLISHED = {"NULL": "null_mx", "NO-MX": "nothing", "NO-RESPONSE-MX-QUERY-2": "unknown"}
DEFECTS = {
    "no-response-1.xa": silent_on_mx,
    "no-response-2.xa": silent_on_mx,
    "rcode.xa": not_implemented_on_mx,
    "non-auth.xa": not_authoritative_on_mx,
}


@pytest.fixture(scope="module")
def findings() -> Iterator[dict[str, dict[str, Any]]]:
    """What one call of mx_info says of all scenarios; those of the root need a root of their own each."""
    below = {name: zone for name, (zone, _codes) in SCENARIOS.items() if zone.name != "."}
    roots = {name: zone for name, (zone, _codes) in SCENARIOS.items() if zone.name == "."}
    found = {}
    with started_internet(list(below.values()), DEFECTS) as internet:
        outcome = inform_about_mx(internet.params(*(zone.name for zone in below.values())), False)
        found.update(zip(below, outcome.values["names"]))
    for name, root in roots.items():
        with started_internet([Zone("plain.xa")], {}, parents=(root, *TOP_LEVEL)) as internet:
            found[name] = inform_about_mx(internet.params("."), False).values["names"][0]
    yield found


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_exactly_the_faults_of_a_scenario_are_found(scenario, findings):
    assert sorted(fault["code"] for fault in findings[scenario]["faults"]) == SCENARIOS[scenario][1]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_what_is_published_in_a_scenario_is_told_in_one_word(scenario, findings):
    word = next((word for start, word in PUBLISHED.items() if scenario.startswith(start)), "mx")
    assert findings[scenario]["published"] == ("mx" if scenario == "NULL-MX-WITH-OTHER-MX" else word)


@pytest.mark.parametrize(
    ("scenario", "answer", "detail"),
    [
        ("NO-RESPONSE-MX-QUERY-1", "silent", "it did not answer within"),
        ("UNEXPECTED-RCODE-MX", "error", "NOTIMP"),
        ("NON-AUTH-MX-RESPONSE", "not_authoritative", ""),
    ],
)
def test_a_server_with_a_defect_is_named_and_the_other_answers_all_the_same(scenario, answer, detail, findings):
    good, bad = sorted(findings[scenario]["servers"], key=lambda server: server["address"])
    assert (good["address"], good["answer"], len(good["mx"])) == (FIRST, "authoritative", 1)
    assert (bad["address"], bad["answer"], bad["mx"]) == (DEFECTIVE, answer, [])
    assert detail in (bad["detail"] or "")
    message = findings[scenario]["faults"][0]["message"]
    assert f"ns3.{findings[scenario]['name']} ({DEFECTIVE})" in message and detail in message


def test_servers_that_disagree_are_shown_with_what_each_gives(findings):
    preferences = [
        [(record["preference"], record["exchange"]) for record in server["mx"]]
        for server in findings["INCONSISTENT-MX-DATA-3"]["servers"]
    ]
    assert preferences == [
        [(10, "mail.data-3.xa"), (20, "mail2.data-3.xa")],
        [(10, "mail2.data-3.xa"), (20, "mail.data-3.xa")],
    ]
