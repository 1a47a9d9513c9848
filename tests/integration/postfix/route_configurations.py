# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Configurations of Postfix as administrators have them, with addresses that take every way through each.

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Configuration:
    """Lines of main.cf, lookup tables by name, and the addresses to send to; ``{config}`` is the tables' folder."""

    main_cf: str
    files: dict[str, str]
    listed_addresses: str

    @property
    def addresses(self) -> list[str]:
        """The addresses to send to."""
        return self.listed_addresses.split()


CONFIGURATIONS = {
    "own users": Configuration(
        """\
mydestination = $myhostname, localhost, example.com
myorigin = example.com
recipient_delimiter = +
alias_maps = lmdb:{config}/aliases
relay_domains = !closed.partner.example, partner.example, /{config}/more_domains
relay_recipient_maps = lmdb:{config}/relayed
relayhost = [smarthost.example.net]:587
propagate_unmatched_extensions = canonical, virtual, alias
virtual_alias_maps = lmdb:{config}/virtual
""",
        {
            "aliases": """\
postmaster: daemon
team: games, man, someone@elsewhere.example
all: team, bin
self: self, news
tool: "|/bin/true one, two"
box: {mailboxes}/box
loop1: loop2
loop2: loop1
list: games, virtual-member@example.com
owner-list: daemon
games+special: man
bin+x: daemon
""",
            "relayed": """\
known@partner.example x
@sub.partner.example x
@third.example x
""",
            "virtual": """\
virtual-member@example.com out@elsewhere.example
news@example.com bin
""",
            "more_domains": """\
third.example x
# comment
""",
        },
        """\
daemon@example.com daemon@localhost DAEMON@Example.COM daemon+news@example.com team@example.com
team+x@example.com all@mail.example.com self@example.com tool@example.com box@example.com loop1@example.com
list@example.com games+special@example.com games+other@example.com bin+x@example.com nobody-here@example.com
nobody-here+x@example.com postmaster@example.com virtual-member@example.com news@example.com
known@partner.example unknown@partner.example a@sub.partner.example a@closed.partner.example
a@deep.closed.partner.example a@third.example a@elsewhere.example a@sub.example.com owner-list@example.com
""",
    ),
    "virtual users": Configuration(
        """\
mydestination = localhost
recipient_delimiter = +-
virtual_alias_domains = alias.example, inline:{{tabled.example = x}}
virtual_mailbox_domains = boxes.example, lmdb:{config}/domains, regexp:{config}/domain_patterns
virtual_mailbox_maps = lmdb:{config}/boxes, regexp:{config}/patterns, static:{a b}
virtual_alias_maps = lmdb:{config}/virtual, regexp:{config}/virtual_patterns
recipient_canonical_maps = lmdb:{config}/canonical
canonical_maps = inline:{{ old@boxes.example = new@boxes.example }}
relocated_maps = inline:{{ gone@boxes.example = gone@elsewhere.example }}
virtual_transport = dovecot:inbox
transport_maps = lmdb:{config}/transport,
  pipemap:{inline:{piped.example=custom:a},inline:{custom:a=relay:b}}, regexp:{config}/transport_patterns
""",
        {
            "domains": """\
more.example x
fallback.example x
""",
            "domain_patterns": """\
/^pattern[0-9]\\.example$/ x
""",
            "boxes": """\
alice@boxes.example a/
bob@boxes.example b/
@more.example m/
""",
            "patterns": """\
/^robot[0-9]+@boxes\\.example$/ r/
""",
            "virtual": """\
info@alias.example alice@boxes.example
@moved.example @boxes.example
nested@alias.example one@alias.example
one@alias.example two@alias.example, alice@boxes.example
two@alias.example bob@boxes.example out@far.example
copy@boxes.example copy@boxes.example, backup@far.example
alice+sales@boxes.example sales@far.example
circle@alias.example round@alias.example
round@alias.example circle@alias.example
@catch.example all@far.example
bare@alias.example daemon
abuse postmaster@boxes.example
@tabled.example alice@boxes.example
carol@boxes.example carol@boxes.example, bob@boxes.example, alice@boxes.example
""",
            "virtual_patterns": """\
/^(.+)-pattern@alias\\.example$/ $1@boxes.example
""",
            "canonical": """\
typo@boxes.example alice@boxes.example
@canon.example @boxes.example
""",
            "transport": """\
alice@boxes.example lmtp:unix:private/alice
boxes.example custom:
.boxes.example relay:[parents.example.net]
error.example error:5.7.1 not for you
retry.example retry:4.7.1 not now
:nexthop :
slow.example :[slow.example.net]
noop@slow.example :
more.example lmtp
* smtp:[wild.example.net]
empty.example error:
dropped.example discard:
fallback.example relay:[fallback.example.net]:2525
kept@fallback.example dovecot:
""",
            "transport_patterns": """\
/^vip@/ custom:[vip.example.net]
/^boxes\\.example$/ relay:[never]
""",
        },
        """\
alice@boxes.example alice+news@boxes.example alice-news@boxes.example alice+sales@boxes.example
ALICE@BOXES.example bob@boxes.example robot12@boxes.example owner-robot1@boxes.example nobody@boxes.example
info@alias.example info+x@alias.example nothere@alias.example nested@alias.example copy@boxes.example
circle@alias.example who@moved.example who+x@moved.example any@catch.example bare@alias.example
x-pattern@alias.example typo@boxes.example y@canon.example bob+x@canon.example old@boxes.example
gone@boxes.example a@more.example a@pattern1.example a@sub.boxes.example a@piped.example vip@far.example
vip@error.example a@error.example a@retry.example a@slow.example noop@slow.example a@empty.example
a@dropped.example a@far.example a@tabled.example abuse@localhost carol@boxes.example kept@fallback.example
other@fallback.example kept+x@fallback.example
""",
    ),
    "one table for all": Configuration(
        """\
mydestination = $myhostname
local_transport = custom:$myhostname
relay_domains = $routed
routed = lmdb:{config}/routes
relay_transport = relay:[set.example.net]
transport_maps = proxy:$routed
parent_domain_matches_subdomains = transport_maps, relay_domains
sender_dependent_relayhost_maps = inline:{{@sender.example = [sender.example.net]}, {null = [null.example.net]},
  {plain@sender.example = DUNNO}}
sender_dependent_default_transport_maps = inline:{{ bulk@sender.example = custom }}
empty_address_relayhost_maps_lookup_key = null
relayhost = [everybody.example.net]
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
virtual_alias_maps =
""",
        {
            "routes": """\
parent.example relay:[parent.example.net]
user@far.example smtp:[far.example.net]
plain.example :
""",
        },
        """\
a@parent.example a@child.parent.example user@far.example a@far.example a@plain.example daemon@mail.example.com
nobody@mail.example.com
""",
    ),
    "behind local": Configuration(
        """\
mydestination = $myhostname
virtual_mailbox_domains = split.example
virtual_mailbox_maps = static:x
recipient_delimiter = +
alias_maps = inline:{{sales = bin, daemon+x}}
transport_maps = inline:{{ sync@split.example = local: }, { split.example = relay:[peer.example.net]} }
local_recipient_maps =
mailbox_transport_maps = inline:{{ games = lmtp:unix:private/games }}
fallback_transport_maps = inline:{{ elsewhere = custom }}
luser_relay = $user.unknown@far.example
smtpd_recipient_restrictions = check_recipient_access inline:{{closed@=550 5.2.1 closed},
  {later@split.example=450 4.2.1 later},{classed@split.example=stern},{ok@far.example=OK},{mail.example.com=DUNNO}},
  warn_if_reject, reject_non_fqdn_recipient,
  check_recipient_access inline:{{no.mail.example.com=REJECT}}
smtpd_relay_restrictions = permit_auth_destination, check_recipient_access inline:{{ok@far.example=OK}}, reject
smtpd_restriction_classes = stern
stern = permit_mynetworks, reject
""",
        {},
        """\
daemon@mail.example.com games@mail.example.com games+x@mail.example.com elsewhere@mail.example.com
nobody-here@mail.example.com nobody-here+x@mail.example.com sales@mail.example.com sync@split.example
a@split.example closed@split.example closed+x@split.example later@split.example classed@split.example
ok@far.example a@far.example daemon@no.mail.example.com
""",
    ),
    "mailbox transport": Configuration(
        """\
mydestination = $myhostname
mailbox_transport = lmtp:unix:private/dovecot-lmtp
local_recipient_maps = $alias_maps
alias_maps = inline:{{sales = bin}}
virtual_alias_domains = example.com
virtual_alias_maps = inline:{{a@example.com = a.b@mail.example.com}, {@mail.example.com = x@far.example}}
default_transport = relay:[outwards.example.net]
smtpd_reject_unlisted_recipient = no
""",
        {},
        """\
daemon@mail.example.com nobody-here@mail.example.com sales@mail.example.com a@example.com b@example.com
a@far.example
""",
    ),
}
