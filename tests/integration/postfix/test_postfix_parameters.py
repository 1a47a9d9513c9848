# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of postfix_parameters on a running Postfix: what main.cf says afterwards, and what Postfix does with it.

from __future__ import annotations

import os
import stat

import pytest
from postfix_instance import Instance


@pytest.fixture
def running(instance: Instance) -> Instance:
    instance.map(path=str(instance.config / "mailboxes"), entries={"alice@example.com": "alice"})
    instance.start()
    return instance


def test_new_restriction_is_in_force_when_the_task_is_done(running: Instance) -> None:
    assert running.answer_to("alice@example.com") == 250
    table = running.map(path=str(running.config / "refused"), entries={"alice@example.com": "550 not today"})["table"]
    result = running.parameters(
        elements=[
            {
                "name": "smtpd_recipient_restrictions",
                "elements": [f"check_recipient_access {table}"],
                "position": "first",
            }
        ]
    )
    assert result["due"] == "reload"
    assert running.answer_to("alice@example.com") == 550
    assert running.logged("reload -- version") == 2  # one for the new table, one for main.cf


def test_element_taken_out_again_leaves_main_cf_as_it_was_read(instance: Instance) -> None:
    change = {"name": "mydestination", "elements": ["$myhostname", "localhost"], "position": "first"}
    before = instance.parameters(parameters={"mydestination": "a.example.org,  b.example.org"})
    text = instance.main_cf.read_text()
    assert before["parameters"]["mydestination"] == {
        "before": "",
        "after": "a.example.org,  b.example.org",
        "changed": True,
    }
    assert instance.parameters(elements=[change])["changed"]
    assert instance.parameters(elements=[{**change, "state": "absent"}])["changed"]
    assert instance.main_cf.read_text() == text


def test_list_that_was_not_there_before_leaves_no_trace(instance: Instance) -> None:
    text = instance.main_cf.read_text()
    change = {"name": "transport_maps", "elements": ["static:smtp:[127.0.0.1]"]}
    assert instance.parameters(elements=[change])["changed"]
    result = instance.parameters(elements=[{**change, "state": "absent"}])
    assert result["parameters"]["transport_maps"]["after"] is None
    assert instance.main_cf.read_text() == text


def test_second_run_changes_and_reloads_nothing(running: Instance) -> None:
    arguments = {
        "parameters": {"message_size_limit": 5_000_000, "smtpd_helo_required": True, "mynetworks": ["127.0.0.0/8"]},
        "elements": [{"name": "smtpd_milters", "elements": ["inet:127.0.0.1:1"], "state": "absent"}],
        "removed": ["relayhost"],
    }
    assert running.parameters(**arguments)["changed"]
    before = running.files(), running.times()
    reloads = running.logged("reload -- version")
    again = running.parameters(**arguments)
    assert (again["changed"], again["due"], again["diff"]) == (False, "none", [])
    assert (running.files(), running.times()) == before
    assert running.logged("reload -- version") == reloads


@pytest.mark.parametrize(
    ("name", "there", "given"),
    [
        ("mynetworks", "127.0.0.0/8,[::1]/128", ["127.0.0.0/8", "[::1]/128"]),
        ("transport_maps", "static:a\n  static:b", "static:a, static:b"),
        ("smtpd_helo_required", "YES", True),
        ("myorigin", "$myhostname", " $myhostname\n"),
    ],
)
def test_other_spelling_of_the_same_value_is_no_change(
    instance: Instance, name: str, there: str, given: object
) -> None:
    with instance.main_cf.open("a") as file:
        file.write(f"{name} = {there}\n")
    assert not instance.parameters(parameters={name: given})["changed"]


def test_white_space_in_a_text_is_a_change(instance: Instance) -> None:
    instance.parameters(parameters={"smtpd_banner": "a, b"})
    assert instance.parameters(parameters={"smtpd_banner": "a b"})["changed"]


def test_list_that_main_cf_does_not_set_begins_with_its_default(instance: Instance) -> None:
    instance.parameters(elements=[{"name": "smtpd_relay_restrictions", "elements": ["reject"]}])
    value = instance.command("postconf", "-hx", "smtpd_relay_restrictions").stdout.strip()
    assert value == "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination, reject"


def test_removed_parameter_has_its_default_again(instance: Instance) -> None:
    result = instance.parameters(removed=["virtual_mailbox_domains"])
    assert result["parameters"]["virtual_mailbox_domains"]["after"] is None
    assert instance.command("postconf", "-h", "virtual_mailbox_domains").stdout == "$virtual_mailbox_maps\n"


def test_check_mode_tells_what_the_run_does_and_writes_nothing(running: Instance) -> None:
    before = running.files()
    arguments = {"parameters": {"smtpd_banner": "hello"}, "removed": ["recipient_delimiter"]}
    foretold = running.parameters(check=True, **arguments)
    assert running.files() == before
    assert running.logged("reload -- version") == 0
    assert foretold == running.parameters(**arguments)
    assert foretold["diff"][0]["after"].endswith("smtpd_banner = hello\n")


def test_comments_and_order_stay(instance: Instance) -> None:
    before = instance.main_cf.read_text()
    instance.parameters(parameters={"mydestination": "localhost"})
    assert instance.main_cf.read_text() == before.replace("mydestination =\n", "mydestination = localhost\n")


def test_owner_and_mode_of_main_cf_stay(instance: Instance) -> None:
    instance.main_cf.chmod(0o640)
    os.chown(instance.main_cf, 0, 4)
    instance.parameters(parameters={"smtpd_banner": "hello"})
    found = instance.main_cf.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, 4)


def test_main_cf_that_is_a_link_stays_one(instance: Instance) -> None:
    real = instance.directory / "main.cf.real"
    instance.main_cf.rename(real)
    instance.main_cf.symlink_to(real)
    instance.parameters(parameters={"smtpd_banner": "hello"})
    assert instance.main_cf.is_symlink()
    assert "smtpd_banner = hello" in real.read_text()


def test_parameter_that_needs_a_restart_gets_one(running: Instance) -> None:
    process = running.master_process()
    result = running.parameters(parameters={"inet_interfaces": "loopback-only"})
    assert result["due"] == "restart"
    running.wait_for_smtp()
    assert running.master_process() != process


def test_server_that_does_not_run_is_not_started(instance: Instance) -> None:
    assert instance.parameters(parameters={"inet_interfaces": "all"})["due"] == "restart"
    assert instance.command("postfix", "status").returncode != 0
    assert not instance.parameters(parameters={"inet_interfaces": "all"})["changed"]


def test_reload_that_was_left_to_others_is_made_up_for(running: Instance) -> None:
    arguments = {"parameters": {"smtpd_banner": "hello"}}
    before = running.logged("reload -- version")
    assert running.parameters(reload="never", **arguments)["due"] == "reload"
    assert running.logged("reload -- version") == before
    assert running.parameters(**arguments)["changed"]
    assert running.logged("reload -- version") == before + 1
    assert not running.parameters(**arguments)["changed"]


def test_restriction_class_and_referenced_parameter_need_no_permission(instance: Instance) -> None:
    result = instance.parameters(
        parameters={
            "smtpd_restriction_classes": "of_peers",
            "of_peers": "reject",
            "smtpd_banner": "$our_text",
            "our_text": "hi",
        }
    )
    assert result["changed"]
    assert "warnings" not in result


def test_misspelled_parameter_is_refused_unless_allowed(instance: Instance) -> None:
    before = instance.files()
    result = instance.parameters(parameters={"smtpd_baner": "hello"})
    assert "has no parameter smtpd_baner" in result["msg"]
    assert instance.files() == before
    assert instance.parameters(parameters={"smtpd_baner": "hello"}, allow_unknown=True)["changed"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": {"default_process_limit": "many"}}, "give a number"),
        ({"parameters": {"default_process_limit": "$myhostname"}}, "bad numerical configuration"),
        ({"parameters": {"inet_interfaces": "nonsense"}}, "host not found"),
        ({"parameters": {"mydestination": "${foo"}}, "brace"),
        ({"parameters": {"myhostname": "a b"}}, "Postfix refuses"),
        ({"parameters": {"maximal_queue_lifetime": "a week"}}, "give a time"),
        ({"parameters": {"smtpd_sasl_auth_enable": "maybe"}}, "give yes or no"),
        ({"parameters": {"smtpd_recipient_limit": "1k"}}, "give a number"),
        ({"parameters": {"transport_maps": "frob:/x"}}, "no lookup tables of type frob"),
        ({"parameters": {"relayhost": None}}, "removed"),
        ({"parameters": {"relayhost": {"a": 1}}}, "removed"),
        ({"parameters": {"a b": "c"}}, "no name of a Postfix parameter"),
        ({"parameters": {"relayhost": "x"}, "removed": ["relayhost"]}, "more than one"),
        ({"elements": [{"name": "transport_maps", "elements": []}]}, "at least one"),
        ({"elements": [{"name": "transport_maps", "elements": ["inline:{a"]}]}, "brace"),
    ],
)
def test_bad_input_is_refused_and_nothing_written(instance: Instance, arguments, message) -> None:  # type: ignore[no-untyped-def]
    before = instance.files()
    result = instance.parameters(**arguments)
    assert result.get("failed"), result
    assert message in result["msg"]
    assert instance.files() == before


def test_value_over_several_lines_cannot_define_another_parameter(instance: Instance) -> None:
    instance.parameters(parameters={"smtpd_banner": "hello\nmynetworks = 192.0.2.0/24"})
    assert "192.0.2.0" not in instance.command("postconf", "-h", "mynetworks").stdout


def test_queue_directory_is_not_changed_under_a_running_server(running: Instance) -> None:
    other = running.directory / "other"
    other.mkdir()
    result = running.parameters(parameters={"queue_directory": str(other)})
    assert "stop it first" in result["msg"]
