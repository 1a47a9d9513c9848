# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of route_info: what it tells an administrator, on which tables, how fast, and what it refuses.

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from postfix_instance import Instance

ROUTED = """
virtual_mailbox_domains = example.com
virtual_mailbox_maps = lmdb:{config}/boxes
virtual_alias_maps = lmdb:{config}/virtual
transport_maps = lmdb:{config}/transport
"""
TABLES = {
    "boxes": "alice@example.com alice/\nbob@example.com bob/\n",
    "virtual": (
        "sales@example.com team@example.com, out@elsewhere.example\n"
        "team@example.com alice@example.com, bob@example.com\n"
    ),
    "transport": "bob@example.com relay:[mx.cloud.example.net]:25\n",
}


def configure(instance: Instance, main_cf: str, **tables: str) -> None:
    """Add lines to main.cf, later ones counting, and make tables."""
    for name, text in tables.items():
        (instance.config / name).write_text(text)
        assert instance.command("postmap", f"lmdb:{instance.config / name}").returncode == 0
    lines = [line for line in instance.main_cf.read_text().splitlines() if not line.startswith("virtual_mailbox_")]
    instance.main_cf.write_text("\n".join(lines) + main_cf.replace("{config}", str(instance.config)))
    os.utime(instance.main_cf, (1_000_000_000, 1_000_000_000))


def traced(instance: Instance, *addresses: str, **arguments: Any) -> list[dict[str, Any]]:
    result = instance.run("route_info", addresses=list(addresses), **arguments)
    assert not result.get("failed"), result["msg"]
    assert not result["changed"]
    found: list[dict[str, Any]] = result["addresses"]
    return found


@pytest.fixture
def routed(instance: Instance) -> Instance:
    configure(instance, ROUTED, **TABLES)
    return instance


def test_every_decision_names_its_parameter_its_table_and_its_key(routed: Instance) -> None:
    (bob,) = traced(routed, "Bob+x@EXAMPLE.com", config_directory=str(routed.config))
    assert bob["address"] == "Bob+x@example.com"
    (bob,) = traced(routed, "bob@example.com")
    assert (bob["class"], bob["known"], bob["transport"], bob["nexthop"]) == (
        "virtual_mailbox", True, "relay", "[mx.cloud.example.net]:25",
    )  # fmt: skip
    assert bob["class_decided_by"] == {
        "parameter": "virtual_mailbox_domains",
        "table": None,
        "key": None,
        "value": "example.com",
    }
    assert bob["decided_by"] == {
        "parameter": "transport_maps",
        "table": f"lmdb:{routed.config}/transport",
        "key": "bob@example.com",
        "value": "relay:[mx.cloud.example.net]:25",
    }
    assert bob["known_by"]["key"] == "bob@example.com"
    assert [step["stage"] for step in bob["steps"]] == ["class", "transport"]


def test_nested_aliases_are_followed_to_the_end(routed: Instance) -> None:
    (sales,) = traced(routed, "sales@example.com")
    assert [(step["address"], step["result"]) for step in sales["aliases"]] == [
        ("sales@example.com", "team@example.com, out@elsewhere.example"),
        ("team@example.com", "alice@example.com, bob@example.com"),
    ]
    assert [(end["address"], end["transport"], end["nexthop"]) for end in sales["destinations"]] == [
        ("out@elsewhere.example", "smtp", "elsewhere.example"),
        ("alice@example.com", "virtual", "example.com"),
        ("bob@example.com", "relay", "[mx.cloud.example.net]:25"),
    ]
    assert (sales["transport"], sales["nexthop"], sales["decided_by"]) == (None, None, None)


def test_nothing_is_written_and_check_mode_says_the_same(routed: Instance) -> None:
    before = routed.files(), routed.times()
    asked = ["alice@example.com", "nobody@example.com", "sales@example.com"]
    assert traced(routed, *asked) == traced(routed, *asked, check=True)
    assert (routed.files(), routed.times()) == before


def count_postmaps(instance: Instance, addresses: list[str], folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """Run the module with a postmap in front of the real one that counts, and give count and answers."""
    count = folder / "count"
    count.write_text("")
    counting = folder / "postmap"
    counting.write_text(f'#!/bin/sh\necho x >> {count}\nexec /usr/sbin/postmap "$@"\n')
    counting.chmod(0o755)
    path = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{path}"
    try:
        answers = traced(instance, *addresses)
    finally:
        os.environ["PATH"] = path
    return len(count.read_text().split()), answers


def test_a_thousand_addresses_take_as_many_processes_as_one(routed: Instance, tmp_path: Path) -> None:
    many = [f"user{number}@example.com" for number in range(994)]
    kinds = ["alice@example.com", "sales@example.com", "x@elsewhere.example", "bob@example.com", "team@example.com"]
    of_five, few = count_postmaps(routed, kinds, tmp_path)
    of_all, answers = count_postmaps(routed, [*many, *kinds, "no-user@example.com"], tmp_path)
    assert of_all == of_five
    assert answers[994:999] == few
    assert {one["at_rcpt"]["code"] for one in answers[:994]} == {550}


def test_tables_of_any_type_are_asked_as_postfix_asks_them(instance: Instance) -> None:
    configure(
        instance,
        """
base = lmdb:{config}/routes
virtual_mailbox_domains = pipemap:{$base, static:x}
virtual_mailbox_maps = unionmap:{inline:{{a@example.com=one}},inline:{{a@example.com=two}}},
  pcre:{{/^b@example\\.com$$/ x}}
transport_maps = pipemap:{$base, inline:{{home=lmtp:unix:private/dovecot-lmtp}}},
  pcre:{{/^(.*)@far\\.example$$/ relay:[far]}},
  static:{smtp:[rest.example.net]}
""",
        routes="example.com home\n",
    )
    found = traced(instance, "a@example.com", "b@example.com", "c@example.com", "x@far.example", "x@other.example")
    assert [(one["class"], one["known"], f"{one['transport']}:{one['nexthop']}") for one in found] == [
        ("virtual_mailbox", True, "smtp:[rest.example.net]"),
        ("virtual_mailbox", True, "smtp:[rest.example.net]"),
        ("virtual_mailbox", False, "smtp:[rest.example.net]"),
        ("default", None, "relay:[far]"),
        ("default", None, "smtp:[rest.example.net]"),
    ]
    assert found[0]["known_by"]["value"] == "one,two"


def test_a_stopped_servers_proxied_tables_are_asked_directly_and_that_is_said(instance: Instance) -> None:
    configure(instance, ROUTED.replace("maps = lmdb", "maps = proxy:lmdb"), **TABLES)
    result = instance.run("route_info", addresses=["bob@example.com", "sales@example.com"])
    assert result["addresses"][0]["transport"] == "relay"
    assert f"proxy:lmdb:{instance.config}/transport was asked directly" in str(result["warnings"])
    instance.start()
    running = instance.run("route_info", addresses=["bob@example.com", "sales@example.com"])
    assert running["addresses"] == result["addresses"]
    assert not running.get("warnings")


def test_what_was_not_followed_is_said(instance: Instance) -> None:
    configure(
        instance,
        "\ncontent_filter = smtp:[127.0.0.1]:10024\nsender_dependent_relayhost_maps = static:[relay.example.net]\n"
        "always_bcc = archive@example.com\ntransport_maps = regexp:{{/^(.*)@far[.]example$$/ smtp:[$$1]}}\n",
    )
    service = f"127.0.0.1:{instance.port}/inet"
    assert instance.command("postconf", "-P", f"{service}/virtual_alias_maps=static:x").returncode == 0
    warnings = str(instance.run("route_info", addresses=["a@example.com"])["warnings"])
    assert "content_filter is smtp:[127.0.0.1]:10024" in warnings
    assert "sender_dependent_relayhost_maps is set, and was not asked" in warnings
    assert "always_bcc is set, and was not followed" in warnings
    assert "of transport_maps has rules with $1 or the like in their result" in warnings
    assert f"virtual_alias_maps for the service {service} alone" in warnings


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("transport_maps = lmdb:/nonexistent/table", "table lmdb:/nonexistent/table of transport_maps cannot be asked"),
        ("virtual_alias_maps = nosuchtype:x", "fatal: unsupported dictionary type: nosuchtype"),
        (
            "relay_domains = /nonexistent/list",
            "The file /nonexistent/list stands in a list of main.cf and is not there",
        ),
        ("virtual_mailbox_domains = fail:broken", "table fail:broken of virtual_mailbox_domains cannot be asked"),
        ("transport_maps = static:{a", "transport_maps in main.cf is 'static:{a', with an opening brace"),
    ],
)
def test_a_broken_table_is_named_with_what_postfix_says(instance: Instance, broken: str, message: str) -> None:
    configure(instance, f"\n{broken}\n")
    result = instance.run("route_info", addresses=["a@example.org"])
    assert result["failed"]
    assert message in result["msg"]
    assert "\n" not in result["msg"]
    assert "exception" not in result


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"addresses": []}, "the option addresses is empty: list the addresses to follow"),
        ({"addresses": ["bob"]}, "'bob' in addresses is not a mail address: write it as user@example.com"),
        ({"addresses": ["@example.com"]}, "is not a mail address"),
        ({"addresses": ["a@b.example", "b c@b.example"]}, "'b c@b.example' in addresses has a local part that cannot"),
        ({"addresses": ['"b c"@b.example']}, "without quotes, white space, '!' and '%'"),
        ({"addresses": ["a\nb@b.example"]}, "has a local part that cannot be followed"),
        ({"addresses": ["a@b.example\nc"]}, "white space or a control character"),
        ({"addresses": ["a%b.example@c.example"]}, "has a local part that cannot be followed"),
        ({"addresses": ["b\u00fc@b.example"]}, "at most 64 ASCII letters"),
        ({"addresses": ["a@-b.example"]}, "is not made of letters, digits and hyphens"),
        ({"addresses": ["a@[192.0.2.1]"]}, "'[192.0.2.1]' is an IP address"),
        ({"addresses": ["a@b.example"], "sender": "nobody"}, "'nobody' in sender is not a mail address"),
        ({"addresses": ["a@b.example"], "config_directory": "/nonexistent"}, "/nonexistent"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(instance: Instance, arguments: dict[str, Any], message: str) -> None:
    result = instance.run("route_info", **arguments)
    assert result["failed"]
    assert message in result["msg"]
    assert "\n" not in result["msg"]
    assert "exception" not in result


def test_an_internationalised_domain_is_looked_for_as_its_a_labels(instance: Instance) -> None:
    (one,) = traced(instance, "a@m\u00fcnchen.example")
    assert (one["address"], one["nexthop"]) == ("a@xn--mnchen-3ya.example", "xn--mnchen-3ya.example")


def test_a_machine_without_postfix_fails_but_not_in_check_mode(tmp_path: Path) -> None:
    script = (
        "import json, sys; from ansible_collections.mailops.split_domain.plugins.module_utils.mta import route_info\n"
        "from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance import commands\n"
        "commands._COMMAND_PATH = ''\n"
        "arguments = dict(addresses=['a@b.example'], sender=None, mta='auto', config_directory='/etc/postfix')\n"
        "print(json.dumps(route_info.tell_routes(arguments, True).values))\n"
        "route_info.tell_routes(arguments, False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env={**os.environ, "PATH": ""}
    )
    assert '"installed": false' in done.stdout
    assert "Postfix is not installed on this server" in done.stderr
