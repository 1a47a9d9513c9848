# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records against real name servers: what is published, returned and left alone.

from __future__ import annotations

import shutil
from typing import Any

import pytest
from authoritative_server import ALGORITHMS, SECRETS, WRITER, AuthoritativeServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.base.errors import InvalidInput
from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import ServerRefused
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}
BACKUP = {"preference": 50, "exchange": "backup.example.net"}


def publish(
    server: AuthoritativeServer, *record_sets: dict[str, Any], check_mode: bool = False, **options: Any
) -> Outcome:
    return publish_mx_records(server.params(*record_sets, **options), check_mode)


def test_a_set_is_published_with_its_ttl_and_the_zone_is_found_by_itself(server):
    outcome = publish(server, {"name": "example.com", "ttl": 120, "mx": [MX2, MX1]})
    assert outcome.changed
    assert outcome.values["record_sets"] == [
        {
            "name": "example.com",
            "zone": "example.com",
            "before": {"ttl": None, "mx": []},
            "after": {"ttl": 120, "mx": [MX1, MX2]},
            "changed": True,
        }
    ]
    assert server.mx("example.com") == [(10, "mx1.example.com.", 120), (20, "mx2.example.com.", 120)]


def test_exact_replaces_the_whole_set(server):
    publish(server, {"name": "example.com", "mx": [MX1, BACKUP]})
    publish(server, {"name": "example.com", "mx": [MX2]})
    assert server.mx("example.com") == [(20, "mx2.example.com.", 3600)]


def test_present_adds_and_leaves_others_alone_with_their_ttl(server):
    publish(server, {"name": "example.com", "ttl": 77, "mx": [MX1]})
    publish(server, {"name": "example.com", "state": "present", "mx": [BACKUP]})
    assert server.mx("example.com") == [(10, "mx1.example.com.", 77), (50, "backup.example.net.", 77)]


def test_absent_removes_only_the_records_named(server):
    publish(server, {"name": "example.com", "ttl": 77, "mx": [MX1, MX2]})
    publish(server, {"name": "example.com", "state": "absent", "mx": [MX2, BACKUP]})
    assert server.mx("example.com") == [(10, "mx1.example.com.", 77)]


def test_absent_needs_the_preference_to_be_the_same_too(server):
    publish(server, {"name": "example.com", "mx": [MX1]})
    outcome = publish(server, {"name": "example.com", "state": "absent", "mx": [{**MX1, "preference": 11}]})
    assert not outcome.changed
    assert len(server.mx("example.com")) == 1


def test_exact_with_an_empty_list_removes_the_set(server):
    publish(server, {"name": "a.example.com", "mx": [MX1]})
    assert publish(server, {"name": "a.example.com", "mx": []}).changed
    assert server.mx("a.example.com") == []
    assert not publish(server, {"name": "a.example.com", "mx": []}).changed


def test_a_malformed_record_of_somebody_else_can_be_removed(server):
    server.nsupdate("zone example.com", "update add a.example.com 60 MX 5 mail_x.example.org.")
    outcome = publish(
        server,
        {"name": "a.example.com", "state": "absent", "mx": [{"preference": 5, "exchange": "mail_x.example.org"}]},
    )
    assert outcome.changed
    assert server.mx("a.example.com") == []


def test_a_null_mx_is_published_alone(server):
    publish(server, {"name": "www.example.com", "mx": [{"preference": 0, "exchange": "."}]})
    assert server.mx("www.example.com") == [(0, ".", 3600)]
    assert not publish(server, {"name": "www.example.com", "mx": [{"preference": "00", "exchange": "."}]}).changed


def test_a_record_is_not_added_beside_a_null_mx_that_is_already_published(server):
    publish(server, {"name": "www.example.com", "mx": [{"preference": 0, "exchange": "."}]})
    with pytest.raises(InvalidInput, match=r"www\.example\.com.*RFC 7505"):
        publish(server, {"name": "www.example.com", "state": "present", "mx": [MX1]})
    assert server.mx("www.example.com") == [(0, ".", 3600)]


@pytest.mark.parametrize(
    "spelling",
    [
        {"name": "EXAMPLE.com.", "mx": [MX1, MX2]},
        {"name": "@", "zone": "Example.COM.", "mx": [MX2, MX1, MX1]},
        {"name": " example.com", "mx": [{"preference": "010", "exchange": "MX1.Example.COM."}, MX2]},
        {"name": "example.com", "ttl": 3600, "mx": [MX1, {"preference": " 20 ", "exchange": "mx2.example.com "}]},
        {"name": "example.com", "state": "present", "mx": [MX2]},
        {"name": "example.com", "state": "absent", "mx": [BACKUP]},
    ],
)
def test_a_second_run_changes_nothing_under_any_spelling(server, spelling):
    publish(server, {"name": "example.com", "mx": [MX1, MX2]})
    serial = server.serial("example.com")
    outcome = publish(server, spelling)
    assert not outcome.changed and not outcome.diffs
    assert server.serial("example.com") == serial


def test_a_drifted_ttl_is_found_and_brought_back(server):
    publish(server, {"name": "example.com", "ttl": 300, "mx": [MX1]})
    server.nsupdate(
        "zone example.com", "update delete example.com MX", "update add example.com 60 MX 10 mx1.example.com."
    )
    outcome = publish(server, {"name": "example.com", "ttl": 300, "mx": [MX1]})
    assert outcome.changed
    assert server.mx("example.com") == [(10, "mx1.example.com.", 300)]


def test_a_drifted_ttl_is_brought_back_by_present_where_it_names_one_and_kept_where_not(server):
    publish(server, {"name": "example.com", "ttl": 300, "mx": [MX1, MX2]})
    assert not publish(server, {"name": "example.com", "state": "present", "mx": [MX1]}).changed
    assert publish(server, {"name": "example.com", "state": "present", "ttl": 60, "mx": [MX1]}).changed
    assert server.mx("example.com") == [(10, "mx1.example.com.", 60), (20, "mx2.example.com.", 60)]
    assert not publish(server, {"name": "example.com", "state": "absent", "ttl": 99, "mx": [BACKUP]}).changed


@pytest.mark.parametrize("ttl", [0, 2**31 - 1])
def test_the_lowest_and_the_highest_ttl_are_written_and_found_again(server, ttl):
    wish = {"name": "example.com", "ttl": ttl, "mx": [MX1, MX2]}
    assert publish(server, {**wish, "ttl": 60}).changed and publish(server, wish).changed
    assert {shown for _preference, _exchange, shown in server.mx("example.com")} == {ttl}
    assert not publish(server, wish).changed


def test_an_exchange_may_stand_there_with_two_preferences_and_loses_only_the_one_named(server):
    lowest, highest = ({**MX1, "preference": preference} for preference in (0, 65535))
    publish(server, {"name": "example.com", "mx": [lowest, highest]})
    assert publish(server, {"name": "example.com", "state": "absent", "mx": [lowest]}).changed
    assert server.mx("example.com") == [(65535, "mx1.example.com.", 3600)]


def test_the_longest_name_there_can_be_gets_a_set(server):
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 49]) + ".example.com"
    assert len(longest) == 253
    assert publish(server, {"name": longest, "mx": [MX1]}).changed
    assert not publish(server, {"name": longest, "mx": [MX1]}).changed
    assert publish(server, {"name": longest, "mx": []}).changed


def test_many_zones_in_one_task_are_found_and_written_each_in_its_own(server):
    names = ["example.com", "deep.below.example.com", "example.net", "a.child.example.net", "bücher.example"]
    outcome = publish(server, *[{"name": name, "mx": [MX1]} for name in names])
    assert [one["zone"] for one in outcome.values["record_sets"]] == [
        "example.com",
        "example.com",
        "example.net",
        "child.example.net",
        "xn--bcher-kva.example",
    ]
    assert [diff.header for diff in outcome.diffs] == [
        "MX records in the zone example.com",
        "MX records in the zone example.net",
        "MX records in the zone child.example.net",
        "MX records in the zone xn--bcher-kva.example",
    ]
    assert all(len(server.mx(name)) == 1 for name in [*names[:4], "xn--bcher-kva.example"])


def test_what_was_found_undoes_a_change(server):
    publish(server, {"name": "example.com", "ttl": 99, "mx": [MX1, BACKUP]})
    outcome = publish(server, {"name": "example.com", "ttl": 11, "mx": [MX2]})
    before = outcome.values["record_sets"][0]["before"]
    publish(server, {"name": "example.com", **before})
    assert server.mx("example.com") == [(10, "mx1.example.com.", 99), (50, "backup.example.net.", 99)]


def test_a_wildcard_is_published_and_a_name_below_it_gets_a_set_of_its_own(server):
    publish(server, {"name": "*.example.com", "mx": [MX1]})
    assert server.mx("any.example.com") == [(10, "mx1.example.com.", 3600)]
    outcome = publish(server, {"name": "own.example.com", "mx": [MX1]})
    assert outcome.values["record_sets"][0]["before"] == {"ttl": None, "mx": []}
    assert outcome.changed
    publish(server, {"name": "*.example.com", "mx": []})
    assert server.mx("own.example.com") == [(10, "mx1.example.com.", 3600)]
    assert not publish(server, {"name": "own.example.com", "mx": [MX1]}).changed


def test_a_set_that_only_a_wildcard_shows_cannot_be_removed_and_is_not_said_to_be(server):
    publish(server, {"name": "*.example.com", "mx": [MX1]})
    outcome = publish(server, {"name": "any.example.com", "mx": []})
    assert not outcome.changed
    assert outcome.values["record_sets"][0]["before"]["mx"] == []


def test_an_own_set_that_equals_the_wildcards_is_removed_and_the_removal_is_seen(server):
    publish(server, {"name": "*.example.com", "mx": [MX1]}, {"name": "own.example.com", "mx": [MX1]})
    outcome = publish(server, {"name": "own.example.com", "mx": []})
    assert outcome.changed
    assert not publish(server, {"name": "own.example.com", "mx": []}).changed


def test_absent_at_a_name_that_is_an_alias_changes_nothing(server):
    outcome = publish(server, {"name": "alias.example.com", "state": "absent", "mx": [MX1]})
    assert not outcome.changed
    assert outcome.values["record_sets"][0]["zone"] == "example.com"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_of_the_server_signs_and_a_weak_key_is_warned_of(server, algorithm):
    wish = {"name": "example.com", "mx": [MX1]}
    outcome = publish(server, wish, key_name=algorithm, key_algorithm=algorithm)
    assert outcome.changed
    # The secret of 32 octets is too short for the longer signatures; the other algorithms are old ones.
    weakness = "32 octets" if algorithm in ("hmac-sha384", "hmac-sha512") else "any more (RFC 8945 section 6)"
    (warning,) = outcome.warnings
    assert weakness in warning and algorithm in warning and SECRETS[WRITER] not in warning


def test_a_key_file_of_the_name_server_signs_and_is_warned_of(server, tmp_path):
    path = tmp_path / "update.key"
    path.write_text(f'key "{WRITER}" {{ algorithm hmac-sha256-128; secret "{SECRETS[WRITER]}"; }};\n')
    shutil.chown(path, "root", "bind")
    path.chmod(0o640)
    outcome = publish(server, {"name": "example.com", "mx": [MX1]}, key_name=None, key_secret=None, key_file=str(path))
    assert outcome.changed
    assert len(outcome.warnings) == 1 and "the group bind" in outcome.warnings[0]


def test_no_record_sets_change_nothing(server):
    outcome = publish(server)
    assert not outcome.changed
    assert outcome.values["record_sets"] == []


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_both_protocols_publish_and_read_back(server, protocol):
    wanted = [{"name": f"n{number}.example.com", "mx": [MX1, MX2]} for number in range(120)]
    assert publish(server, *wanted, protocol=protocol).changed
    assert len(server.mx("n119.example.com")) == 2
    assert not publish(server, *wanted, protocol=protocol).changed


def test_the_diff_shows_the_lines_of_the_zone_file_before_and_after(server):
    publish(server, {"name": "example.com", "ttl": 60, "mx": [MX1]})
    (diff,) = publish(server, {"name": "example.com", "mx": [MX2]}, check_mode=True).diffs
    assert diff.before == "example.com. 60 IN MX 10 mx1.example.com.\n"
    assert diff.after == "example.com. 60 IN MX 20 mx2.example.com.\n"


def test_an_exchange_that_has_no_address_is_warned_of(server):
    nowhere = {"preference": 10, "exchange": "nowhere.example.com"}
    (warning,) = publish(server, {"name": "example.net", "mx": [nowhere]}).warnings
    assert "nowhere.example.com" in warning and "no A or AAAA record" in warning
    assert publish(server, {"name": "example.com", "mx": [nowhere]}, check_mode=True).warnings


def test_the_addresses_that_the_server_has_for_the_exchanges_are_in_the_result(server):
    foreign = {"preference": 20, "exchange": "mx.elsewhere.example"}
    values = publish(server, {"name": "example.net", "mx": [MX1, foreign]}, check_mode=True).values
    elsewhere, own = values["exchanges"]
    assert elsewhere == {"exchange": "mx.elsewhere.example", "addresses": []}
    assert (own["exchange"], own["addresses"]) == ("mx1.example.com", ["127.0.0.1"])


def test_a_refusal_of_an_exchange_that_has_no_address_is_explained(named):
    nowhere = {"preference": 10, "exchange": "nowhere.example.com"}
    with pytest.raises(ServerRefused, match="address record"):
        publish(named, {"name": "example.com", "mx": [nowhere]})


WISHES = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["p.example.com", "P.example.com."]),
        "state": st.sampled_from(["exact", "present", "absent"]),
        "ttl": st.sampled_from([None, 60, 600]),
        "mx": st.lists(st.sampled_from([MX1, MX2, BACKUP]), min_size=1, max_size=3),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=st.lists(WISHES, min_size=1, max_size=3))
def test_check_mode_predicts_what_the_run_does_and_writes_nothing(server, wishes):
    for wish in wishes:
        serial = server.serial("example.com")
        predicted = publish(server, wish, check_mode=True)
        assert server.serial("example.com") == serial
        done = publish(server, wish)
        assert predicted == done
        assert (server.serial("example.com") != serial) == done.changed
        after = done.values["record_sets"][0]["after"]
        assert server.mx("p.example.com") == sorted(
            (one["preference"], one["exchange"] + ".", after["ttl"]) for one in after["mx"]
        )
        assert not publish(server, wish).changed
