# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of runs that break off or meet others: no change is lost, none is half made, and the next run puts things right.

from __future__ import annotations

import signal

import pytest
from static_zones import started_run

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client import failures
from ansible_collections.mailops.split_domain.plugins.module_utils.dns.publishing import publish_mx_records

MX1 = {"preference": 10, "exchange": "mx1.example.net"}
WISH = {"name": "@", "mx": [MX1]}


def test_a_failed_reload_says_that_the_file_is_written_and_the_next_run_tells_the_server(zone, commands):
    script = commands("tell", "#!/bin/sh\necho the server is away >&2\nexit 3\n")
    with pytest.raises(failures.ServerNotTold) as caught:
        publish_mx_records(zone.params(WISH, reload_command=[script, "now"]), False)
    told = str(caught.value)
    assert f"{zone.path} is written with the serial 2" in told
    assert f"{script} now {zone.name}" in told and "status 3 and said: the server is away" in told
    assert "mx1.example.net." in zone.path.read_text() and zone.serial() == 1
    assert publish_mx_records(zone.params(WISH), True).changed
    outcome = publish_mx_records(zone.params(WISH), False)
    assert outcome.changed and not outcome.values["record_sets"][0]["changed"]
    assert zone.serial() == 2 and zone.mx() == [(10, "mx1.example.net.", 300)]
    assert not publish_mx_records(zone.params(WISH), False).changed


def test_a_run_that_is_killed_before_it_told_the_server_is_finished_by_the_next(zone):
    killing = zone.params(WISH, reload_command=["sh", "-c", "kill -9 $PPID"])
    run = started_run(killing)
    run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert zone.serial() == 1 and "mx1.example.net." in zone.path.read_text()
    assert publish_mx_records(zone.params(WISH), False).changed
    assert zone.serial() == 2
    assert not zone.note.exists()


def test_a_server_that_goes_on_with_the_old_zone_is_told_by_its_serial(zone, commands):
    commands("rndc", "#!/bin/sh\ncase $1 in reload) echo zone reload up-to-date;; *) echo serial: 1;; esac\n")
    with pytest.raises(failures.ServerNotTold) as caught:
        publish_mx_records(zone.params(WISH, reload_command=["rndc", "reload"]), False)
    assert "still has the serial 1" in str(caught.value) and zone.note.exists()


def test_what_an_editor_writes_in_between_is_kept(zone, commands):
    checker = "#!/bin/sh\n[ -e {0}.edited ] || {{ echo 'edited TXT here' >> {0}; touch {0}.edited; }}\n"
    commands("named-checkzone", checker.format(zone.path) + 'exec /usr/bin/named-checkzone "$@"\n')
    publish_mx_records(zone.params(WISH), False)
    assert zone.mx() == [(10, "mx1.example.net.", 300)]
    assert zone.named.query(f"edited.{zone.name}", "TXT").answer


def test_an_editor_that_never_stops_keeps_its_text_and_the_task_says_so(zone, commands):
    checker = f"#!/bin/sh\necho '; edited' >> {zone.path}\n"
    commands("named-checkzone", checker + 'exec /usr/bin/named-checkzone "$@"\n')
    before = zone.path.read_text()
    with pytest.raises(failures.SetKeepsChanging) as caught:
        publish_mx_records(zone.params(WISH), False)
    assert str(zone.path) in str(caught.value)
    assert zone.path.read_text() == before + 5 * "; edited\n"
    assert not zone.note.exists()


def test_runs_at_the_same_time_lose_nothing(zone):
    exchanges = [f"mx{number}.example.net" for number in range(6)]
    runs = [
        started_run(zone.params({"name": "@", "state": "present", "mx": [{"preference": 7, "exchange": exchange}]}))
        for exchange in exchanges
    ]
    assert [run.communicate(timeout=120)[1] for run in runs] == [""] * len(runs)
    assert [exchange for preference, exchange, _ttl in zone.mx() if preference == 7] == [f"{one}." for one in exchanges]
    assert zone.serial() == 7
    assert [path for path in zone.named.folder.iterdir() if path.name.startswith(f".{zone.path.name}")] == []
