# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests of the routes table: each domain has its section, and no section disturbs another.

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.routes.tables import (
    ROUTES_HEADER,
    RoutesTable,
    render_section,
)

DOMAINS = ("example.com", "b.example.com", "example.org")
NAMES = st.from_regex(r"[a-z][a-z0-9.+_-]{0,6}", fullmatch=True)
TRANSPORTS = st.sampled_from(["lmtp:unix:private/dovecot-lmtp", "relay:[mx.example.net]:25", "local:"])


@st.composite
def tables(draw: st.DrawFn) -> RoutesTable:
    """Tables of up to three domains."""
    return RoutesTable(
        {
            domain: render_section(
                {f"{name}@{domain}": to for name, to in draw(st.dictionaries(NAMES, TRANSPORTS, min_size=1)).items()}
            )
            for domain in draw(st.lists(st.sampled_from(DOMAINS), unique=True))
        }
    )


@given(tables())
def test_a_table_written_and_read_again_is_itself(table: RoutesTable) -> None:
    assert RoutesTable.parse(table.render()).sections == table.sections


@given(tables())
def test_what_a_table_says_does_not_depend_on_the_order_of_its_sections(table: RoutesTable) -> None:
    assert RoutesTable(dict(reversed(table.sections.items()))).render() == table.render()


@given(tables(), st.sampled_from(DOMAINS), st.dictionaries(NAMES, TRANSPORTS))
def test_a_new_section_replaces_its_own_and_leaves_the_others(
    table: RoutesTable, domain: str, routes: dict[str, str]
) -> None:
    section = {f"{name}@{domain}": transport for name, transport in routes.items()}
    after = RoutesTable.parse(table.with_section(domain, render_section(section)).render())
    assert after.routes(domain) == section
    assert {name: text for name, text in after.sections.items() if name != domain} == {
        name: text for name, text in table.sections.items() if name != domain
    }


def test_an_empty_section_leaves_no_trace() -> None:
    table = RoutesTable({"example.com": "bob@example.com\tlocal:\n", "example.org": "ann@example.org\tlocal:\n"})
    assert table.with_section("example.org", "").render() == ROUTES_HEADER + (
        "# domain: example.com\nbob@example.com\tlocal:\n"
    )
    assert RoutesTable({}).render() == ROUTES_HEADER


def test_routes_are_found_where_hands_have_edited_the_section() -> None:
    text = ROUTES_HEADER + "# domain: example.com\n# moved\nBob@example.com   relay:[mx]:25  \n\nann@example.com\n"
    assert RoutesTable.parse(text).routes("example.com") == {"bob@example.com": "relay:[mx]:25"}


def test_the_first_of_two_routes_counts_as_it_does_for_postmap() -> None:
    text = "# domain: example.com\nbob@example.com local:\nbob@example.com relay:[mx]:25\n"
    assert RoutesTable.parse(text).routes("example.com") == {"bob@example.com": "local:"}


def test_an_address_that_hands_put_into_another_domains_section_goes_with_its_domain() -> None:
    text = "# domain: example.com\nann@example.com\tlocal:\nbob@example.org\tlocal:\n# domain: example.org\n"
    after = RoutesTable.parse(text).with_section("example.org", "cyd@example.org\tlocal:\n")
    assert after.sections == {
        "example.com": "ann@example.com\tlocal:\n",
        "example.org": "cyd@example.org\tlocal:\n",
    }


def test_two_sections_of_one_domain_are_one() -> None:
    text = "# domain: a.example\nx@a.example\tlocal:\n# domain: b.example\n# domain: a.example\ny@a.example\tlocal:\n"
    assert RoutesTable.parse(text).routes("a.example") == {"x@a.example": "local:", "y@a.example": "local:"}
