# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Reading stories: in which mailbox a row's mail must be found.

from __future__ import annotations

from pathlib import Path

import pytest
from laboratory import stories
from laboratory.expectations import Bounced, Delivered, Must

STORY = """
servers: {old: mx.atlanta.example.com, cloud: mx.cloud.example.net}
mailboxes: {old: [adam], cloud: [adam@example.com]}
chapters:
  - title: All rows
    mail:
      - {at: old, to: Adam+news@Example.com, in: old}
      - {at: old, to: anna@example.com, in: old}
      - {at: old, to: adam@example.com, in: cloud}
      - {at: old, to: sales@example.com, in: {old: adam}}
      - {submit: old, from: adam@example.com, to: nobody@example.com, bounced: true}
"""
OLD, CLOUD = "mx.atlanta.example.com", "mx.cloud.example.net"


@pytest.fixture(name="must")
def rows_of_the_story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Must]:
    (tmp_path / "told_by_test").mkdir()
    (tmp_path / "told_by_test" / "story.yml").write_text(STORY, encoding="utf-8")
    monkeypatch.setattr(stories, "TOPOLOGIES", tmp_path)
    return [row.must for row in stories.story("told_by_test").chapters[0].rows]


def test_mail_for_any_address_of_a_unix_user_is_in_his_own_mailbox(must: list[Must]) -> None:
    assert must[0] == Delivered(OLD, "adam", None)
    assert must[3] == Delivered(OLD, "adam", None)


def test_mail_for_others_is_in_the_mailbox_of_the_address(must: list[Must]) -> None:
    assert must[1] == Delivered(OLD, "anna@example.com", None)


def test_a_unix_user_of_one_host_is_none_of_another(must: list[Must]) -> None:
    assert must[2] == Delivered(CLOUD, "adam@example.com", None)


def test_a_unix_users_bounce_is_in_his_own_mailbox(must: list[Must]) -> None:
    assert must[4] == Bounced(OLD, "adam", OLD)
