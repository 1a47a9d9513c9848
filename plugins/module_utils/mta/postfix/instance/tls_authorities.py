# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: smtp_probe needs nothing else of the kind. Whose certificates a Postfix server believes. Private.

from __future__ import annotations

from ansible_collections.mailops.split_domain.plugins.module_utils.mta.postfix.instance.commands import (
    expanded,
    own_values,
)
from ansible_collections.mailops.split_domain.plugins.module_utils.relay.tls import Authorities

# By which all relays are reached, as master.cf names it.
_SERVICE = "relay/unix"
_PARAMETERS = (
    "smtp_tls_CAfile",
    "smtp_tls_CApath",
    "tls_append_default_CA",
    "smtp_tls_trust_anchor_file",
    "smtp_tls_servername",
)


def read_authorities(config_directory: str) -> Authorities:
    """Read whose certificates smtp(8) believes, and which name it asks for (postconf(5)).

    Without any, and without tls_append_default_CA, it believes nobody. What master.cf says for relays alone counts
    before main.cf.
    """
    values = {**expanded(config_directory, _PARAMETERS), **own_values(config_directory, _SERVICE)}
    return Authorities(
        file=values["smtp_tls_CAfile"] or None,
        folder=values["smtp_tls_CApath"] or None,
        and_of_the_system=values["tls_append_default_CA"] == "yes",
        anchors=tuple(values["smtp_tls_trust_anchor_file"].replace(",", " ").split()),
        servername=values["smtp_tls_servername"],
    )
