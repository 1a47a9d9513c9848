# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: smtp_probe does not need it. Asks another site's relay as this server's own call-ahead does. Private.

from __future__ import annotations

import time
from collections.abc import Sequence

from ansible_collections.mailops.split_domain.plugins.module_utils.base.rcpt_verdicts import DEFERRED
from ansible_collections.mailops.split_domain.plugins.module_utils.model.verification import Introduction, PeerAnswer
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.dane import DNSSEC_POLICIES, AskForProof
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.next_hop import Relay
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.connection import ProbeFailed, Server
from ansible_collections.mailops.split_domain.plugins.module_utils.smtp.probe import probe

PEER_TIMEOUT = 10.0
# A site that asks a third one ahead answers "later" until that one has spoken, which takes about so long.
SECONDS_BEFORE_A_SECOND_TRY = 3.0
LONGEST_REASON = 400


def ask_peer(
    ask_for_proof: AskForProof, relay: Relay, recipients: Sequence[str], introduction: Introduction
) -> tuple[PeerAnswer, ...]:
    """Give what the relay says to each recipient; no message is sent. Whoever says "later" is asked a second time.

    Who cannot prove to be the relay, as its policy wants it, is asked nothing and learns no password.
    """
    server = Server(
        host=relay.host,
        port=relay.port,
        helo=introduction.helo,
        timeout=PEER_TIMEOUT,
        tls=relay.tls,
        tls_match=relay.tls_match,
        authorities=introduction.authorities,
        proof=ask_for_proof(relay.host, relay.port) if relay.tls in DNSSEC_POLICIES else None,
        sender=introduction.sender,
        # The address that this server sends from is an IPv4 one, where it is known at all.
        source=None if ":" in relay.host else introduction.source,
        username=relay.username if relay.password is not None else None,
        password=relay.password,
    )
    try:
        answers = probe(server, recipients).answers
        if any(answer.verdict == DEFERRED for answer in answers):
            time.sleep(SECONDS_BEFORE_A_SECOND_TRY)
            answers = probe(server, recipients).answers
    except ProbeFailed as failed:
        code = failed.reply.code if failed.reply else None
        return tuple(PeerAnswer(code, str(failed)[:LONGEST_REASON]) for _recipient in recipients)
    return tuple(PeerAnswer(answer.reply.code, str(answer.reply)[:LONGEST_REASON]) for answer in answers)
