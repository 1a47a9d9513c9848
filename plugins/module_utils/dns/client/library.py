# Copyright (c) 2026, the mailops.split_domain developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Alone here: the one place where dnspython is imported. Private to this collection.

from __future__ import annotations

import platform
import sys

from ansible_collections.mailops.split_domain.plugins.module_utils.dns.client.failures import LibraryMissing

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdata
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TSIG
    import dns.rrset
    import dns.tsig
    import dns.update
    import dns.version
except ImportError as error:
    # The failure is told when a module is used, not when it is imported: ansible-doc must work without dnspython.
    dns = None  # type: ignore[assignment]
    _import_error: ImportError | None = error
else:
    _import_error = None
__all__ = ["MINIMUM_FOR_LOOKING_UP", "MINIMUM_VERSION", "dns", "require_dnspython"]
MINIMUM_VERSION = (2, 6)
# Without signatures an older one will do, as the mail servers of Debian 12 have it.
MINIMUM_FOR_LOOKING_UP = (2, 3)


def require_dnspython(minimum: tuple[int, int] = MINIMUM_VERSION) -> None:
    """Raise LibraryMissing where this Python has no dnspython, or one that is older than ``minimum``."""
    wanted = ".".join(str(number) for number in minimum)
    where = f"the Python of this task ({sys.executable} on {platform.node()})"
    cure = (
        f"install dnspython {wanted} or later there, set ansible_python_interpreter to a Python that has it, "
        "or delegate the task to a host that has it"
    )
    if _import_error is not None:
        raise LibraryMissing(
            f"the Python library dnspython is missing for {where}, its import said {str(_import_error)!r}: {cure}"
        )
    if minimum > (dns.version.MAJOR, dns.version.MINOR):
        raise LibraryMissing(f"the Python library dnspython is too old ({dns.version.version}) for {where}: {cure}")
