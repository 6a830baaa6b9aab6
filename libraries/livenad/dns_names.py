# SPDX-License-Identifier: Apache-2.0
"""Rules for names of Kubernetes objects."""

from __future__ import annotations

import re

_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(rf"{_DNS_LABEL.pattern}(\.{_DNS_LABEL.pattern})*")


def is_dns_label(name: str) -> bool:
    """Whether ``name`` is valid for a namespace or a VM: 63 lower-case letters, digits and hyphens at most."""
    return len(name) <= 63 and _DNS_LABEL.fullmatch(name) is not None


def is_dns_subdomain(name: str) -> bool:
    """Whether ``name`` is valid for a NAD: DNS labels joined by dots, 253 characters at most."""
    return len(name) <= 253 and _DNS_SUBDOMAIN.fullmatch(name) is not None
