# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records in bulk, and while others write: messages, connections, retries and half-done work.

from __future__ import annotations

from typing import Any

import dns.rcode
import pytest
from named_server import Named
from update_relay import HangUp, Relay, is_update, relay_to, signed_answer

from ansible_collections.mailops.split_domain.plugins.module_utils.dns import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.updating import MAX_ATTEMPTS
from ansible_collections.mailops.split_domain.plugins.module_utils.outcome import Outcome

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}


def publish(relay: Relay, named: Named, *record_sets: dict[str, Any], **options: Any) -> Outcome:
    check_mode = options.pop("check_mode", False)
    return publish_mx_records({**named.params(*record_sets, **options), "port": relay.port}, check_mode)


def test_a_thousand_names_in_three_zones_take_one_connection_and_one_update_a_zone(named, relay):
    zones = ["example.com", "example.net", "child.example.net"]
    wishes = [{"name": f"n{number}.{zones[number % 3]}", "mx": [MX1]} for number in range(1000)]
    assert publish(relay, named, *wishes).changed
    assert relay.connections == 1
    assert len(relay.updates) == 3
    assert all(named.mx(f"n{number}.{zones[number % 3]}") for number in (0, 500, 999))


def test_an_unchanged_run_sends_no_update_at_all(named, relay):
    wishes = [{"name": f"n{number}.example.com", "mx": [MX1]} for number in range(50)]
    publish(relay, named, *wishes)
    sent = len(relay.updates)
    assert not publish(relay, named, *wishes).changed
    assert len(relay.updates) == sent


def test_an_update_is_split_only_where_it_would_exceed_the_size_limit_of_a_message(named, relay):
    filler = "a-label-of-sixty-characters-that-no-name-before-it-has-used"
    wishes = [{"name": f"{number:04}{filler}.example.com", "mx": [MX1, MX2]} for number in range(600)]
    assert publish(relay, named, *wishes).changed
    assert len(relay.updates) == 2
    assert all(len(wire) <= 65535 for wire in relay.updates)
    assert sum(len(wire) for wire in relay.updates) > 65535
    assert all(len(named.mx(wish["name"])) == 2 for wish in (wishes[0], wishes[299], wishes[300], wishes[599]))
    assert not publish(relay, named, *wishes).changed


def test_a_set_that_somebody_changes_between_reading_and_writing_is_read_again(named, relay):
    def somebody_else(number: int) -> None:
        if number == 1:
            named.nsupdate("zone example.com", "update add a.example.com 60 MX 5 theirs.example.org.")

    relay.before_update = somebody_else
    outcome = publish(
        relay,
        named,
        {"name": "a.example.com", "state": "present", "mx": [MX1]},
        {"name": "b.example.com", "mx": [MX2]},
    )
    assert named.mx("a.example.com") == [(5, "theirs.example.org.", 60), (10, "mx1.example.com.", 60)]
    assert named.mx("b.example.com") == [(20, "mx2.example.com.", 3600)]
    assert outcome.values["record_sets"][0]["before"]["mx"] == [{"preference": 5, "exchange": "theirs.example.org"}]
    assert len(relay.updates) == 2


def test_a_set_that_somebody_removes_between_reading_and_writing_is_written_anew(named, relay):
    named.nsupdate("zone example.com", "update add a.example.com 60 MX 5 theirs.example.org.")
    relay.before_update = lambda number: named.nsupdate("zone example.com", "update delete a.example.com MX")
    outcome = publish(relay, named, {"name": "a.example.com", "state": "present", "mx": [MX1]})
    assert outcome.changed
    assert named.mx("a.example.com") == [(10, "mx1.example.com.", 3600)]


def test_somebody_who_writes_the_same_first_leaves_nothing_to_do(named, relay):
    relay.before_update = lambda number: named.nsupdate(
        "zone example.com", "update add a.example.com 3600 MX 10 mx1.example.com."
    )
    assert not publish(relay, named, {"name": "a.example.com", "mx": [MX1]}).changed


def test_a_set_that_never_stands_still_is_given_up_with_nothing_written(named, relay):
    def somebody_else(number: int) -> None:
        named.nsupdate(
            "zone example.com",
            "update delete a.example.com MX",
            f"update add a.example.com 60 MX {number} theirs.example.org.",
        )

    relay.before_update = somebody_else
    with pytest.raises(failures.SetKeepsChanging, match=r"example\.com.*somebody else"):
        publish(relay, named, {"name": "a.example.com", "mx": [MX1]}, {"name": "b.example.com", "mx": [MX1]})
    assert len(relay.updates) == MAX_ATTEMPTS
    assert named.mx("a.example.com") == [(MAX_ATTEMPTS, "theirs.example.org.", 60)]
    assert named.mx("b.example.com") == []


def test_a_cname_that_somebody_puts_there_in_between_is_told_and_not_taken_for_success(named, relay):
    relay.before_update = lambda number: named.nsupdate(
        "zone example.com", "update add a.example.com 60 CNAME mx1.example.com."
    )
    try:
        with pytest.raises((failures.WriteNotSeen, failures.AliasInTheWay)):
            publish(relay, named, {"name": "a.example.com", "mx": [MX1]})
    finally:
        named.nsupdate("zone example.com", "update delete a.example.com CNAME")


def test_an_update_that_the_server_says_it_took_but_did_not_is_an_error(named, relay):
    relay.answer = lambda wire: signed_answer(wire, dns.rcode.NOERROR) if _changes_something(wire) else None
    with pytest.raises(failures.WriteNotSeen, match=r"a\.example\.com no MX record instead of 10 mx1\.example\.com\."):
        publish(relay, named, {"name": "a.example.com", "mx": [MX1]})


def _changes_something(wire: bytes) -> bool:
    return is_update(wire) and int.from_bytes(wire[8:10], "big") > 0


def test_work_that_fails_half_way_says_what_was_written_and_what_was_not(named):
    wishes = [
        {"name": "a.example.com", "mx": [MX1]},
        {"name": "b.example.com", "mx": [MX1]},
        {"name": "locked.example", "mx": [MX2]},
        {"name": "example.net", "mx": [MX1]},
    ]
    with pytest.raises(failures.PartlyWritten) as caught:
        publish_mx_records(named.params(*wishes), False)
    assert "REFUSED" in str(caught.value)
    assert " - written: example.com (2 names); " in str(caught.value)
    assert "not written: locked.example (1 name), example.net (1 name)" in str(caught.value)
    assert named.mx("a.example.com") and not named.mx("example.net")


def test_work_that_loses_the_connection_half_way_says_of_what_it_is_not_known(named, relay):
    def hang_up_on_the_second(number: int) -> None:
        if number > 1:
            raise HangUp

    relay.before_update = hang_up_on_the_second
    wishes = [{"name": name, "mx": [MX1]} for name in ("example.com", "example.net", "a.child.example.net")]
    with pytest.raises(failures.PartlyWritten) as caught:
        publish(relay, named, *wishes)
    assert (
        " - written: example.com (1 name); not known: example.net (1 name); not written: child.example.net (1 name)"
        in (str(caught.value))
    )


def test_a_server_that_is_gone_after_the_update_was_taken_does_not_hide_that_it_was(named, relay):
    def gone_after_an_update(wire: bytes) -> None:
        if relay.updates and not is_update(wire):
            raise HangUp

    relay.answer = gone_after_an_update
    with pytest.raises(failures.WriteNotSeen, match=r"closed the connection.*took the updates of example\.com"):
        publish(relay, named, {"name": "example.com", "mx": [MX1]})
    assert named.mx("example.com")


def test_check_mode_finds_the_refusal_in_the_second_zone_before_the_first_is_written(named):
    wishes = [{"name": "a.example.com", "mx": [MX1]}, {"name": "locked.example", "mx": [MX2]}]
    with pytest.raises(failures.ServerRefused, match=r"locked\.example"):
        publish_mx_records(named.params(*wishes), True)
    assert named.mx("a.example.com") == []


def test_a_server_that_closes_the_connection_after_some_replies_is_asked_again_for_the_rest(named):
    wishes = [{"name": f"n{number}.example.com", "mx": [MX1]} for number in range(60)]
    publish_mx_records(named.params(*wishes), False)
    with relay_to(named, close_after=25) as relay:
        assert not publish(relay, named, *wishes).changed
        assert 2 < relay.connections < 6
