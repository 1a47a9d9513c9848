# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Octets to a DNS server and back: many messages over one TCP connection. Private to this collection.

from __future__ import annotations

import contextlib
import errno
import select
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

DNS_PORT = 53
# The largest chunk that is read at once, and the size of a length field (RFC 1035 section 4.2.2).
_CHUNK = 65536
_LENGTH = 2
# What the system says when it is this host that cannot send.
_NO_WAY = (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class TransportError(Exception):
    """The octets did not get through; the text is a clause that says why."""

    @property
    def is_for_want_of_a_way(self) -> bool:
        """Tell whether this host has no way there at all, as to an IPv6 address without IPv6."""
        return isinstance(self.__cause__, OSError) and self.__cause__.errno in _NO_WAY


@dataclass
class TcpTransport:
    """One TCP connection that is opened when it is first needed (RFC 7766): queries are pipelined over it."""

    server: str
    port: int
    timeout: float
    _socket: socket.socket | None = None
    _received: bytearray = field(default_factory=bytearray)
    # Messages with an id that nobody asked with.
    _strays: int = 0

    def replies(self, wires: Mapping[int, bytes], repeatable: bool) -> Iterator[bytes]:
        """Send messages, given by their ids, and give the reply to each as it comes, in any order.

        ``timeout`` is the longest silence in seconds. A connection that the server closes is opened again for what is
        still unanswered, as RFC 7766 section 6.2.4 wants, when the messages are ``repeatable`` and the last connection
        brought at least one reply. Raises TransportError.
        """
        waiting = dict(wires)
        connected = self._connected()
        while waiting:
            progressed = False
            try:
                for reply in self._round_trip(connected, waiting):
                    number = int.from_bytes(reply[:2], "big")
                    if number in waiting:
                        del waiting[number]
                        progressed = True
                        yield reply
                    else:
                        self._strays += 1
            except ConnectionError as error:
                self.close()
                if not (repeatable and progressed):
                    raise TransportError(f"it closed the connection ({error})") from error
                connected = self._opened()
            except OSError as error:
                self.close()
                raise TransportError(f"the connection to it broke ({error.strerror or error})") from error

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._received.clear()

    def _connected(self) -> socket.socket:
        """Give the connection, a new one where there is none or the server closed it while nothing was asked."""
        if self._socket is not None and not _was_closed(self._socket):
            return self._socket
        return self._opened()

    def _opened(self) -> socket.socket:
        self.close()
        try:
            opened = socket.create_connection((self.server, self.port), self.timeout)
        except socket.gaierror as error:
            raise TransportError(f"its name cannot be resolved ({error.strerror})") from error
        except socket.timeout as error:
            raise TransportError(f"no connection could be opened within {self.timeout:g} s") from error
        except OSError as error:
            raise TransportError(f"no connection could be opened ({error.strerror or error})") from error
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _acknowledge_at_once(opened)
        opened.setblocking(False)
        self._socket = opened
        return opened

    def _round_trip(self, connected: socket.socket, waiting: Mapping[int, bytes]) -> Iterator[bytes]:
        """Write and read at the same time: a server that stops reading until its replies are read must not lock us."""
        unsent = memoryview(b"".join(len(wire).to_bytes(_LENGTH, "big") + wire for wire in waiting.values()))
        progress, silent_since = (0, 0), time.monotonic()
        while waiting:
            # What is no answer to a question does not end the silence.
            if progress != (len(waiting), len(unsent)):
                progress, silent_since = (len(waiting), len(unsent)), time.monotonic()
            patience = max(0.0, silent_since + self.timeout - time.monotonic())
            readable, writable, _unused = select.select([connected], [connected] if unsent else [], [], patience)
            if (not readable and not writable) or not patience:
                is_in_the_middle = bool(self._received)
                self.close()
                raise silence(self.timeout, self._strays, is_in_the_middle)
            if writable:
                unsent = unsent[connected.send(unsent[:_CHUNK]) :]
            if readable:
                chunk = connected.recv(_CHUNK)
                if not chunk:
                    raise ConnectionResetError("end of stream")
                _acknowledge_at_once(connected)
                self._received += chunk
                yield from self._whole_messages()

    def _whole_messages(self) -> Iterator[bytes]:
        start = 0
        whole = []
        while len(self._received) - start >= _LENGTH:
            size = int.from_bytes(self._received[start : start + _LENGTH], "big")
            if len(self._received) - start - _LENGTH < size:
                break
            whole.append(bytes(self._received[start + _LENGTH : start + _LENGTH + size]))
            start += _LENGTH + size
        del self._received[:start]
        yield from whole


def silence(timeout: float, strays: int, is_in_the_middle: bool = False) -> TransportError:
    """Give the failure of a server that said nothing more for the whole timeout."""
    if is_in_the_middle:
        return TransportError(f"it stopped in the middle of a message for {timeout:g} s")
    if strays:
        return TransportError(f"within {timeout:g} s it gave no answer, only messages with ids that nobody asked with")
    return TransportError(f"it did not answer within {timeout:g} s")


def _acknowledge_at_once(connected: socket.socket) -> None:
    """Keep a server that awaits an acknowledgement before its next reply (RFC 896) from waiting 40 ms for it.

    Linux forgets this setting now and then (tcp(7)); other systems do not have it.
    """
    if hasattr(socket, "TCP_QUICKACK"):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _was_closed(connected: socket.socket) -> bool:
    """Tell whether the server closed a connection on which nothing was asked, as it may after some idle time."""
    if not select.select([connected], [], [], 0)[0]:
        return False
    with contextlib.suppress(OSError):
        return connected.recv(1, socket.MSG_PEEK) == b""
    return True
