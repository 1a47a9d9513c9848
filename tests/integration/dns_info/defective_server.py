# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# A name server with a defect: a relay in front of a real one that spoils the replies about some zones.

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
from knot_server import PORT

# Given a request and the right reply, the reply as it is sent, or None to stay silent.
Defect = Callable[[dns.message.Message, dns.message.Message], "dns.message.Message | None"]


def silent(_request: dns.message.Message, _reply: dns.message.Message) -> None:
    """Answer nothing at all."""


def silent_on_mx(request: dns.message.Message, reply: dns.message.Message) -> dns.message.Message | None:
    """Answer everything but questions for MX records."""
    return None if _asks_for_mx(request) else reply


def not_implemented_on_mx(request: dns.message.Message, reply: dns.message.Message) -> dns.message.Message:
    """Say NOTIMP to questions for MX records."""
    if _asks_for_mx(request):
        reply = dns.message.make_response(request)
        reply.set_rcode(dns.rcode.NOTIMP)
    return reply


def not_authoritative_on_mx(request: dns.message.Message, reply: dns.message.Message) -> dns.message.Message:
    """Leave out the flag AA of answers with MX records."""
    if _asks_for_mx(request):
        reply.flags &= ~dns.flags.AA
    return reply


def refusing(request: dns.message.Message, _reply: dns.message.Message) -> dns.message.Message:
    """Refuse everything, as a server does that does not have the zone."""
    reply = dns.message.make_response(request)
    reply.set_rcode(dns.rcode.REFUSED)
    return reply


@contextlib.contextmanager
def defective_server(address: str, behind: str, defects: Mapping[str, Defect]) -> Iterator[None]:
    """Answer datagrams on an address with the replies of the server ``behind``, spoilt for the zones with a defect."""
    with socket.socket(type=socket.SOCK_DGRAM) as listener:
        listener.bind((address, PORT))
        ending = threading.Event()
        by_zone = {dns.name.from_text(zone): defect for zone, defect in defects.items()}
        thread = threading.Thread(target=_serve, args=(listener, behind, by_zone, ending), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join(10)


def _serve(
    listener: socket.socket, behind: str, defects: Mapping[dns.name.Name, Defect], ending: threading.Event
) -> None:
    while not ending.is_set():
        if not select.select([listener], [], [], 0.05)[0]:
            continue
        wire, client = listener.recvfrom(65535)
        request = dns.message.from_wire(wire)
        reply: dns.message.Message | None = dns.query.udp(request, behind, 5, PORT)
        for zone, defect in defects.items():
            if reply is not None and request.question[0].name.is_subdomain(zone):
                reply = defect(request, reply)
        if reply is not None:
            listener.sendto(reply.to_wire(), client)


def _asks_for_mx(request: dns.message.Message) -> bool:
    return request.question[0].rdtype == dns.rdatatype.MX
