# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests that what a security review found has a test that would find it again, finding by finding.

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

# The findings of a review, by its numbers: what an attacker could do, and the tests that try it.
FINDINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "1": (
        "a password of a relay was told to whoever answers, although a policy of TLS protects it",
        (
            "integration/smtp/test_proofs.py::test_verify_lets_in_whom_postfix_lets_in",
            "integration/smtp/test_proofs.py::test_a_fingerprint_lets_in_just_its_certificate_or_key_as_postfix_does",
            "integration/smtp/test_proofs.py::test_records_let_in_whom_openssl_lets_in_by_them",
            "integration/smtp/test_proofs.py::test_a_server_that_offers_no_tls_hears_no_password",
            "integration/split/test_impostors.py::"
            "test_the_questions_of_a_run_tell_no_password_to_somebody_in_the_middle",
            "integration/split/test_impostors.py::"
            "test_the_questions_of_a_run_log_in_at_the_relay_that_has_proven_itself",
            "integration/split/test_impostors.py::"
            "test_where_nothing_proves_who_answers_nobody_logs_in_and_the_run_says_so",
            "integration/split/test_impostors.py::test_a_probe_with_a_password_validates_unless_told_otherwise",
            "integration/split/test_impostors.py::"
            "test_encrypt_gives_the_password_to_whoever_answers_and_the_run_warns_of_it",
            "integration/split/test_impostors.py::test_the_role_verify_tells_no_password_to_somebody_in_the_middle",
        ),
    ),
    "2": (
        "the owner of a zone file's folder became root, by a link that came between two steps",
        (
            "unit/base/test_files_of_others.py::test_links_that_come_at_any_step_lead_root_nowhere",
            "unit/base/test_files_of_others.py::test_the_folder_is_the_same_from_reading_to_writing",
            "unit/base/test_files_of_others.py::test_what_a_program_may_do_is_given_to_no_text",
            "integration/dns/zone_files/test_folders_of_others.py::test_a_set_user_id_bit_is_not_taken_over",
            "integration/dns/zone_files/test_folders_of_others.py::test_links_that_come_at_any_step_lead_root_nowhere",
            "integration/dns/zone_files/test_folders_of_others.py::"
            "test_the_zone_is_published_and_its_file_keeps_what_it_has",
        ),
    ),
    "3": (
        "root made files elsewhere, through links that somebody had planted",
        (
            "unit/base/test_files_of_others.py::test_a_mark_is_a_file_of_this_user_whatever_was_planted_under_its_name",
            "unit/base/test_files_of_others.py::test_a_link_of_somebody_else_is_refused_wherever_it_stands",
            "integration/dns/zone_files/test_folders_of_others.py::"
            "test_a_planted_note_leads_nowhere_and_the_server_is_told",
            "integration/postfix/test_files_of_others_on_a_server.py::"
            "test_a_table_in_a_folder_of_somebody_else_is_refused",
            "integration/postfix/test_files_of_others_on_a_server.py::test_a_link_of_somebody_else_is_no_table",
            "integration/postfix/test_files_of_others_on_a_server.py::"
            "test_tables_are_refused_in_a_configuration_that_others_can_write",
        ),
    ),
    "4": (
        "an address without a local part was accepted from strangers and stayed in the queue",
        (
            "unit/mta/postfix/test_keys_of_questions.py::"
            "test_no_address_and_no_domain_is_the_key_of_an_answer_of_restrictions",
            "integration/split/test_odd_addresses.py::test_every_form_of_an_address_has_its_final_answer",
            "integration/split/test_odd_addresses.py::test_other_names_of_a_domain_do_not_stand_alone_either",
            "integration/split/test_earlier_tables.py::"
            "test_tables_of_an_earlier_state_are_replaced_and_no_answer_changes_wherever_the_run_is_killed",
        ),
    ),
    "5": (
        "any user of the machine made all runs wait for ever, by a lock on a folder that all can read",
        (
            "unit/base/test_locks.py::test_no_other_user_keeps_root_waiting",
            "unit/base/test_locks.py::test_a_run_that_waits_in_vain_names_the_process_and_none_of_its_arguments",
            "integration/postfix/test_files_of_others_on_a_server.py::"
            "test_a_lock_of_somebody_else_on_the_configuration_keeps_nobody_waiting",
            "integration/dns/zone_files/test_folders_of_others.py::test_a_run_waits_for_another_one_and_says_which",
        ),
    ),
    "6": (
        "a regular expression took exponential time for a line of an ordinary table",
        (
            "unit/security/test_patterns.py::test_the_work_of_every_expression_grows_no_faster_than_the_text",
            "unit/security/test_patterns.py::test_rules_of_any_length_are_read_at_once",
        ),
    ),
    "7": (
        "a password in a wrong place was shown",
        (
            "unit/base/test_secrecy.py::test_what_stands_where_no_secret_belongs_is_one",
            "integration/bad_input/test_canaries.py::test_every_plugin_and_role_has_a_canary",
            "integration/bad_input/test_canaries.py::test_no_result_and_no_log_of_a_module_has_the_secret",
            "integration/bad_input/test_canaries.py::test_no_refusal_of_a_filter_has_the_secret",
            "integration/bad_input/test_canaries.py::"
            "test_no_canary_is_found_anywhere_after_a_run_that_shows_all_it_can",
        ),
    ),
    "8a": (
        "the owner of a zone made root read devices and pipes, or numbers without end",
        (
            "unit/security/test_bounded_zone_files.py::test_what_is_no_regular_file_is_not_included",
            "unit/security/test_bounded_zone_files.py::test_files_that_are_too_large_together_are_not_read",
            "unit/security/test_bounded_zone_files.py::test_what_is_generated_has_bounds",
            "unit/security/test_bounded_zone_files.py::"
            "test_what_is_no_regular_file_is_not_included_by_a_directive_in_quotation_marks",
            "unit/security/test_large_zone_files.py::test_a_hundred_thousand_records_take_seconds_and_little_memory",
            "integration/dns/zone_files/test_what_the_checker_sees.py::"
            "test_what_is_swapped_after_it_was_read_is_not_looked_at",
        ),
    ),
    "8b": (
        "a pipe in the place of Postfix's verify cache made a run wait for ever",
        (
            "integration/postfix/test_files_of_others_on_a_server.py::"
            "test_a_verify_cache_that_is_no_file_is_neither_waited_for_nor_followed",
        ),
    ),
    "8c": (
        "a refusal told strangers the inner relay and its words",
        (
            "integration/split/test_answers_at_rcpt.py::"
            "test_what_another_site_said_is_in_the_log_and_no_stranger_is_told",
            "integration/split/test_answers_at_rcpt.py::test_no_refusal_names_a_host_an_address_a_site_or_a_class",
        ),
    ),
    "8d": (
        "every user of the machine could read the directory of users and parts of main.cf",
        (
            "integration/split/test_readable_files.py::test_files_are_for_root_and_the_group_of_postfix_at_most",
            "integration/split/test_readable_files.py::test_a_daemon_without_rights_can_read_the_tables_and_no_secret",
            "integration/split/test_readable_files.py::test_an_earlier_set_up_that_everybody_could_read_is_closed",
        ),
    ),
    "8e": (
        "half of all addresses were taken as clients of a site without a word",
        (
            "unit/security/test_wide_clients.py::test_wide_networks_need_a_word",
            "unit/security/test_wide_clients.py::test_everybody_is_refused_in_pieces_as_well",
        ),
    ),
    "8f": (
        "a killed run left copies of main.cf in the temporary folder",
        (
            "unit/base/test_locks.py::test_what_a_killed_run_tried_out_is_gone_with_the_next",
            "integration/postfix/test_files_of_others_on_a_server.py::"
            "test_nothing_of_a_run_that_was_killed_while_postfix_checked_is_left_after_the_next",
        ),
    ),
    "8g": (
        "a forged datagram ended a task",
        (
            "integration/dns/test_mx_forged_datagrams.py::"
            "test_signed_questions_and_updates_wait_past_a_forged_datagram",
            "integration/dns/test_mx_forged_datagrams.py::test_questions_without_a_key_wait_past_a_forged_datagram",
            "integration/dns/test_mx_forged_datagrams.py::test_a_flood_of_forged_datagrams_ends_with_the_timeout",
            "integration/dns/test_mx_forged_datagrams.py::"
            "test_a_forged_refusal_does_not_end_a_signed_question_whose_reply_is_late",
        ),
    ),
    "8h": (
        "a reply to another question counted as proven by DNSSEC",
        (
            "integration/dns_info/test_forged_proofs.py::test_a_reply_to_another_question_proves_nothing",
            "integration/dns_info/test_forged_proofs.py::test_records_of_another_name_prove_nothing",
            "integration/dns_info/test_forged_proofs.py::test_a_proof_from_another_host_is_used_and_warned_of",
        ),
    ),
    "8i": (
        "an address that is not ASCII became somebody else's",
        ("unit/security/test_folded_text.py::test_an_address_that_is_not_ascii_becomes_nobody_elses",),
    ),
    "8j": (
        "a domain with signs that Unicode folds became another one",
        (
            "unit/security/test_folded_text.py::test_a_name_that_would_become_another_is_rejected",
            "unit/security/test_folded_text.py::test_a_name_of_idna2008_is_taken",
        ),
    ),
    "8k": (
        "a message repeated an input of any length",
        ("unit/security/test_bounded_messages.py::test_a_message_is_short_and_printable_whatever_it_repeats",),
    ),
    "8l": (
        "a weak TSIG key was used without a word",
        (
            "unit/dns/test_key.py::test_an_old_algorithm_is_warned_of_with_the_key_and_the_cure",
            "unit/dns/test_key.py::test_a_secret_that_is_shorter_than_its_signatures_is_warned_of",
            "integration/dns/test_mx_publication.py::"
            "test_every_algorithm_of_the_server_signs_and_a_weak_key_is_warned_of",
        ),
    ),
    "8m": (
        "the repository said nowhere how to report, pinned no contents, and left a policy behind when killed",
        (
            "unit/test_setup.py::test_every_package_for_developers_is_pinned_by_its_contents",
            "unit/test_setup.py::test_a_run_that_is_ended_leaves_no_policy_behind",
            "unit/test_setup.py::test_the_run_after_one_that_was_killed_removes_what_it_left",
            "unit/test_tarball.py::test_users_get_what_they_use_and_no_more",
            "unit/test_security.py::test_it_is_said_how_to_report_a_weakness",
        ),
    ),
    "8n": (
        "mail went round between two sites that knew each other by wrong addresses",
        (
            "unit/map/test_topology.py::test_two_sites_that_forward_to_each_other_both_have_to_ask_first",
            "integration/split/test_wrong_clients.py::"
            "test_where_both_ask_first_mail_for_nobody_is_put_off_and_goes_nowhere",
            "integration/split/test_wrong_clients.py::"
            "test_where_one_does_not_ask_mail_goes_round_which_is_why_such_a_map_is_refused",
        ),
    ),
}


@cache
def names_in(path: str) -> frozenset[str]:
    """Give the names of the test functions of a file below ``tests``."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and "test" in node.name)


@pytest.mark.parametrize("number", FINDINGS)
def test_every_finding_has_its_tests(number):
    what, tests = FINDINGS[number]
    assert what and tests
    for test in tests:
        path, name = test.split("::")
        assert name in names_in(path), f"finding {number} ({what}) needs {test}"


def test_every_number_of_the_review_is_here():
    assert list(FINDINGS) == [*"1234567", *(f"8{letter}" for letter in "abcdefghijklmn")]


def test_it_is_said_how_to_report_a_weakness():
    policy = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")
    for heading in ("## How to report", "## Versions", "## What the collection protects"):
        assert heading in policy.splitlines()
    assert "/security/advisories/new" in policy
