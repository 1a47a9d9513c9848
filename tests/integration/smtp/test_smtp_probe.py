# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the module smtp_probe as a task, against a real Postfix.

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from receiving_postfix import Postfix

ALICE, BOB, LATER, NOBODY = "alice@example.com", "bob@example.com", "later@example.com", "nobody@example.com"
# The implicit localhost runs modules with the Python that runs Ansible.
ANSIBLE = str(Path(sys.executable).parent / "ansible")


def run_task(
    port: int, recipients: list[Any], *flags: str, environment: dict[str, str] | None = None, **options: Any
) -> dict[str, Any]:
    """Run the module as a task of its own and give its result, whether it failed or not."""
    arguments = {"host": "localhost", "port": port, "recipients": recipients, "helo": "probe.example.org", **options}
    ran = subprocess.run(
        [
            ANSIBLE,
            "localhost",
            "--module-name",
            "mailops.split_domain.smtp_probe",
            "--args",
            json.dumps(arguments),
            *flags,
        ],
        check=False,
        env={
            **os.environ,
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "true",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            **(environment or {}),
        },
        capture_output=True,
        text=True,
    )
    result: dict[str, Any] = json.loads(ran.stdout)["plays"][0]["tasks"][0]["hosts"]["localhost"]
    return result


def verdicts(result: dict[str, Any]) -> dict[str, str]:
    return {answer["address"]: answer["verdict"] for answer in result["recipients"]}


def test_each_recipient_is_answered_for_by_its_own(postfix: Postfix) -> None:
    result = run_task(postfix.port, [ALICE, NOBODY, LATER, "someone@elsewhere.example.net", BOB])
    assert verdicts(result) == {
        ALICE: "accepted",
        NOBODY: "refused",
        LATER: "deferred",
        "someone@elsewhere.example.net": "refused",
        BOB: "accepted",
    }
    nobody = result["recipients"][1]
    assert (nobody["code"], nobody["enhanced"]) == (550, "5.1.1")
    assert "Recipient address rejected: User unknown" in nobody["text"]
    assert result["changed"] is False


def test_check_mode_asks_as_well(postfix: Postfix) -> None:
    result = run_task(postfix.port, [ALICE, NOBODY], "--check")
    assert verdicts(result) == {ALICE: "accepted", NOBODY: "refused"}
    assert result["changed"] is False


def test_recipients_may_outnumber_what_the_server_takes_in_one_transaction(postfix: Postfix) -> None:
    recipients = [ALICE, BOB, NOBODY] * 10
    answers = run_task(postfix.port, recipients)["recipients"]
    assert [answer["address"] for answer in answers] == recipients
    assert [answer["verdict"] for answer in answers] == ["accepted", "accepted", "refused"] * 10


def test_many_unknown_recipients_are_answered_for_without_the_delays_for_bad_clients(postfix: Postfix) -> None:
    unknown = [f"unknown{number}@example.com" for number in range(100)]
    started = time.monotonic()
    result = run_task(postfix.port, unknown)
    assert list(verdicts(result).items()) == [(address, "refused") for address in unknown]
    assert {answer["code"] for answer in result["recipients"]} == {550}
    # Postfix makes a client wait a second for each error after the tenth of a session.
    assert time.monotonic() - started < 12


def test_no_message_is_left_in_the_queue(postfix: Postfix) -> None:
    run_task(postfix.port, [ALICE, BOB])
    queued = [
        path for queue in ("incoming", "active", "deferred") for path in (postfix.folder / "queue" / queue).rglob("*")
    ]
    assert [path for path in queued if path.is_file()] == []


def test_expectations_that_hold_pass(postfix: Postfix) -> None:
    expected = {ALICE: "accepted", NOBODY: "refused", LATER: "deferred"}
    result = run_task(postfix.port, [{"address": address, "expect": verdict} for address, verdict in expected.items()])
    assert verdicts(result) == expected


def test_expectations_that_do_not_hold_fail_with_all_of_them_named(postfix: Postfix) -> None:
    result = run_task(
        postfix.port,
        [
            {"address": ALICE, "expect": "refused"},
            {"address": BOB, "expect": "accepted"},
            {"address": NOBODY, "expect": "accepted"},
        ],
    )
    assert result["failed"] is True
    assert f"localhost port {postfix.port} does not answer as expected" in result["msg"]
    assert f"{ALICE} should be refused but is accepted (250 2.1.5 Ok)" in result["msg"]
    assert f"{NOBODY} should be accepted but is refused (550 5.1.1 " in result["msg"]
    assert BOB not in result["msg"]


@pytest.mark.parametrize(("tls", "encrypted"), [("none", False), ("may", True), ("encrypt", True)])
def test_the_result_tells_whether_the_conversation_was_encrypted(postfix: Postfix, tls: str, encrypted: bool) -> None:
    result = run_task(postfix.port, [ALICE], tls=tls)
    assert verdicts(result) == {ALICE: "accepted"}
    assert (result["tls"] or "").startswith("TLS") is encrypted


def test_a_certificate_that_nobody_vouches_for_is_refused_when_certificates_are_validated(postfix: Postfix) -> None:
    result = run_task(postfix.port, [ALICE], tls="encrypt", validate_certs=True)
    assert result["failed"] is True
    assert "self-signed certificate" in result["msg"]


def test_a_certificate_that_this_host_trusts_is_taken_when_certificates_are_validated(postfix: Postfix) -> None:
    trusted = {"SSL_CERT_FILE": str(postfix.certificate)}
    assert verdicts(run_task(postfix.port, [ALICE], environment=trusted, tls="encrypt", validate_certs=True)) == {
        ALICE: "accepted"
    }
    wrong_name = run_task(
        postfix.port, [ALICE], environment=trusted, host="127.0.0.1", tls="encrypt", validate_certs=True
    )
    assert wrong_name["failed"] is True


def test_an_address_with_a_line_break_never_reaches_the_server(postfix: Postfix) -> None:
    before = postfix.log()
    result = run_task(postfix.port, [ALICE, "bob@example.com>\r\nDATA"])
    assert result["failed"] is True
    assert "white space or a control character" in result["msg"]
    assert postfix.log() == before
