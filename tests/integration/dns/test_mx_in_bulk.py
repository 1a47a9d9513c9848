# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of mx_records in bulk, and while others write: messages, connections, retries and half-done work.

from __future__ import annotations

from typing import Any

import dns.rcode
import pytest
from authoritative_server import AuthoritativeServer
from update_relay import HangUp, Relay, is_update, relay_to, signed_answer

from ansible_collections.mailops.split_domain.plugins.module_utils.base.outcome import Outcome
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.update.sending import MAX_UPDATES

MX1 = {"preference": 10, "exchange": "mx1.example.com"}
MX2 = {"preference": 20, "exchange": "mx2.example.com"}


def publish(server_relay: Relay, server: AuthoritativeServer, *record_sets: dict[str, Any], **options: Any) -> Outcome:
    check_mode = options.pop("check_mode", False)
    return publish_mx_records({**server.params(*record_sets, **options), "port": server_relay.port}, check_mode)


def test_a_thousand_names_in_three_zones_take_one_connection_and_one_update_a_zone(server, server_relay):
    zones = ["example.com", "example.net", "child.example.net"]
    wishes = [{"name": f"n{number}.{zones[number % 3]}", "mx": [MX1]} for number in range(1000)]
    assert publish(server_relay, server, *wishes).changed
    assert server_relay.connections == 1
    assert len(server_relay.updates) == 3
    assert all(server.mx(f"n{number}.{zones[number % 3]}") for number in (0, 500, 999))


def test_an_unchanged_run_sends_no_update_at_all(server, server_relay):
    wishes = [{"name": f"n{number}.example.com", "mx": [MX1]} for number in range(50)]
    publish(server_relay, server, *wishes)
    sent = len(server_relay.updates)
    assert not publish(server_relay, server, *wishes).changed
    assert len(server_relay.updates) == sent


def test_an_update_is_split_only_where_it_would_exceed_the_size_limit_of_a_message(server, server_relay):
    filler = "a-label-of-sixty-characters-that-no-name-before-it-has-used"
    wishes = [{"name": f"{number:04}{filler}.example.com", "mx": [MX1, MX2]} for number in range(600)]
    assert publish(server_relay, server, *wishes).changed
    assert len(server_relay.updates) == 2
    assert all(len(wire) <= 65535 for wire in server_relay.updates)
    assert sum(len(wire) for wire in server_relay.updates) > 65535
    assert all(len(server.mx(wish["name"])) == 2 for wish in (wishes[0], wishes[299], wishes[300], wishes[599]))
    assert not publish(server_relay, server, *wishes).changed


def test_a_set_that_somebody_changes_between_reading_and_writing_is_read_again(server, server_relay):
    def somebody_else(number: int) -> None:
        if number == 1:
            server.nsupdate("zone example.com", "update add a.example.com 60 MX 5 theirs.example.org.")

    server_relay.before_update = somebody_else
    outcome = publish(
        server_relay,
        server,
        {"name": "a.example.com", "state": "present", "mx": [MX1]},
        {"name": "b.example.com", "mx": [MX2]},
    )
    assert server.mx("a.example.com") == [(5, "theirs.example.org.", 60), (10, "mx1.example.com.", 60)]
    assert server.mx("b.example.com") == [(20, "mx2.example.com.", 3600)]
    assert outcome.values["record_sets"][0]["before"]["mx"] == [{"preference": 5, "exchange": "theirs.example.org"}]
    assert len(server_relay.updates) == 2


def test_a_set_that_somebody_removes_between_reading_and_writing_is_written_anew(server, server_relay):
    server.nsupdate("zone example.com", "update add a.example.com 60 MX 5 theirs.example.org.")
    server_relay.before_update = lambda number: server.nsupdate("zone example.com", "update delete a.example.com MX")
    outcome = publish(server_relay, server, {"name": "a.example.com", "state": "present", "mx": [MX1]})
    assert outcome.changed
    assert server.mx("a.example.com") == [(10, "mx1.example.com.", 3600)]


def test_somebody_who_writes_the_same_first_leaves_nothing_to_do(server, server_relay):
    server_relay.before_update = lambda number: server.nsupdate(
        "zone example.com", "update add a.example.com 3600 MX 10 mx1.example.com."
    )
    assert not publish(server_relay, server, {"name": "a.example.com", "mx": [MX1]}).changed


def test_a_set_that_never_stands_still_is_given_up_with_nothing_written(server, server_relay):
    def somebody_else(number: int) -> None:
        server.nsupdate(
            "zone example.com",
            "update delete a.example.com MX",
            f"update add a.example.com 60 MX {number} theirs.example.org.",
        )

    server_relay.before_update = somebody_else
    with pytest.raises(failures.SetKeepsChanging, match=r"example\.com.*somebody else"):
        publish(server_relay, server, {"name": "a.example.com", "mx": [MX1]}, {"name": "b.example.com", "mx": [MX1]})
    assert len(server_relay.updates) == MAX_UPDATES
    assert server.mx("a.example.com") == [(MAX_UPDATES, "theirs.example.org.", 60)]
    assert server.mx("b.example.com") == []


def test_a_cname_that_somebody_puts_there_in_between_is_told_and_not_taken_for_success(server, server_relay):
    server_relay.before_update = lambda number: server.nsupdate(
        "zone example.com", "update add a.example.com 60 CNAME mx1.example.com."
    )
    try:
        with pytest.raises((failures.WriteNotSeen, failures.AliasInTheWay), match=r"a\.example\.com"):
            publish(server_relay, server, {"name": "a.example.com", "mx": [MX1]})
    finally:
        server.nsupdate("zone example.com", "update delete a.example.com CNAME")


def test_what_somebody_adds_right_after_a_write_is_not_taken_for_a_write_that_failed(server, server_relay):
    def somebody_else(wire: bytes) -> None:
        if server_relay.updates and not is_update(wire) and len(server.mx("a.example.com")) == 1:
            server.nsupdate("zone example.com", "update add a.example.com 3600 MX 5 theirs.example.org.")

    server_relay.answer = somebody_else
    assert publish(server_relay, server, {"name": "a.example.com", "state": "present", "mx": [MX1]}).changed
    assert len(server.mx("a.example.com")) == 2


def test_an_update_that_the_server_says_it_took_but_did_not_is_an_error(server, server_relay):
    server_relay.answer = lambda wire: signed_answer(wire, dns.rcode.NOERROR) if _changes_something(wire) else None
    with pytest.raises(failures.WriteNotSeen, match=r"a\.example\.com no MX record instead of 10 mx1\.example\.com\."):
        publish(server_relay, server, {"name": "a.example.com", "mx": [MX1]})


def _changes_something(wire: bytes) -> bool:
    return is_update(wire) and int.from_bytes(wire[8:10], "big") > 0


def test_work_that_fails_half_way_says_what_was_written_and_what_was_not(server):
    wishes = [
        {"name": "a.example.com", "mx": [MX1]},
        {"name": "b.example.com", "mx": [MX1]},
        {"name": "locked.example", "mx": [MX2]},
        {"name": "example.net", "mx": [MX1]},
    ]
    with pytest.raises(failures.PartlyWritten) as caught:
        publish_mx_records(server.params(*wishes), False)
    # Knot DNS says of a key that it does not allow something that it does not know it.
    assert ("BADKEY" if server.brand == "Knot DNS" else "REFUSED") in str(caught.value)
    assert " - written: example.com (2 names); " in str(caught.value)
    assert "not written: locked.example (1 name), example.net (1 name)" in str(caught.value)
    assert server.mx("a.example.com") and not server.mx("example.net")


def test_work_that_loses_the_connection_half_way_says_of_what_it_is_not_known(server, server_relay):
    def hang_up_on_the_second(number: int) -> None:
        if number > 1:
            raise HangUp

    server_relay.before_update = hang_up_on_the_second
    wishes = [{"name": name, "mx": [MX1]} for name in ("example.com", "example.net", "a.child.example.net")]
    with pytest.raises(failures.PartlyWritten) as caught:
        publish(server_relay, server, *wishes)
    assert (
        " - written: example.com (1 name); not known: example.net (1 name); not written: child.example.net (1 name)"
        in (str(caught.value))
    )


def test_a_server_that_is_gone_after_the_update_was_taken_does_not_hide_that_it_was(server, server_relay):
    def gone_after_an_update(wire: bytes) -> None:
        if server_relay.updates and not is_update(wire):
            raise HangUp

    server_relay.answer = gone_after_an_update
    with pytest.raises(failures.WriteNotSeen, match=r"closed the connection.*took the updates of example\.com"):
        publish(server_relay, server, {"name": "example.com", "mx": [MX1]})
    assert server.mx("example.com")


def test_check_mode_finds_the_refusal_in_the_second_zone_before_the_first_is_written(server):
    wishes = [{"name": "a.example.com", "mx": [MX1]}, {"name": "locked.example", "mx": [MX2]}]
    with pytest.raises((failures.ServerRefused, failures.KeyRefused), match=r"locked\.example"):
        publish_mx_records(server.params(*wishes), True)
    assert server.mx("a.example.com") == []


def test_a_server_that_closes_the_connection_after_some_replies_is_asked_again_for_the_rest(server):
    wishes = [{"name": f"n{number}.example.com", "mx": [MX1]} for number in range(60)]
    publish_mx_records(server.params(*wishes), False)
    with relay_to(server, close_after=25) as server_relay:
        assert not publish(server_relay, server, *wishes).changed
        assert 2 < server_relay.connections < 10
