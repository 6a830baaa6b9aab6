"""What a user may set, typed and checked; every complaint names variable, value, expectation and remedy.

The variables themselves, with their defaults and meaning, are in ``variables/defaults.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testbed.errors import BadInput
from testbed.objects.labels import is_dns_label

Seconds = Callable[[str], float]
"""Parses a time as the user writes it ("2 min 30 s") into seconds; raises ValueError."""

_QUANTITY = re.compile(r"[1-9]\d*(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_IMAGE = re.compile(r"[a-z0-9]([\w.-]*[\w])?(:\d+)?(/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?", re.ASCII)
_BRIDGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_LONGEST_PREFIX = 50
_VLANS = ("OLD_VLAN", "NEW_VLAN", "OTHER_VLAN")


@dataclass(frozen=True)
class Settings:
    """The values of a run. Times are in seconds, VLANs 0 (untagged) to 4094."""

    kubeconfig: str = ""
    context: str = ""
    namespace_prefix: str = "nad-swap"
    bridge: str = "br1"
    other_bridge: str = "br2"
    old_vlan: int = 100
    new_vlan: int = 200
    other_vlan: int = 300
    vm_image: str = "quay.io/containerdisks/fedora:latest"
    vm_memory: str = "1Gi"
    guest_user: str = "tester"
    boot_timeout: float = 600.0
    swap_timeout: float = 600.0
    reach_timeout: float = 60.0
    silence_window: float = 5.0
    allow_disruptive: bool = False
    expected_capabilities: tuple[str, ...] = ()

    @classmethod
    def from_variables(cls, values: Mapping[str, object], seconds: Seconds) -> Settings:
        """Check the user's ``values``, keyed by variable name; those that are missing keep their defaults.

        Raises BadInput for the first value that is wrong.
        """
        reader = _Reader(values, seconds)
        settings = cls(
            kubeconfig=reader.text("KUBECONFIG", cls.kubeconfig),
            context=reader.text("CONTEXT", cls.context),
            namespace_prefix=reader.matching(
                "NAMESPACE_PREFIX",
                cls.namespace_prefix,
                lambda text: is_dns_label(text) and len(text) <= _LONGEST_PREFIX,
                f"lower-case letters, digits and hyphens, {_LONGEST_PREFIX} characters at most",
            ),
            bridge=reader.matching(
                "BRIDGE", cls.bridge, _BRIDGE.fullmatch, "the name of a Linux bridge, 15 characters at most, no spaces"
            ),
            other_bridge=reader.matching(
                "OTHER_BRIDGE",
                cls.other_bridge,
                _BRIDGE.fullmatch,
                "the name of a Linux bridge, 15 characters at most, no spaces",
            ),
            old_vlan=reader.vlan("OLD_VLAN", cls.old_vlan),
            new_vlan=reader.vlan("NEW_VLAN", cls.new_vlan),
            other_vlan=reader.vlan("OTHER_VLAN", cls.other_vlan),
            vm_image=reader.matching(
                "VM_IMAGE", cls.vm_image, _IMAGE.fullmatch, "an image such as quay.io/org/disk:tag"
            ),
            vm_memory=reader.matching(
                "VM_MEMORY", cls.vm_memory, _QUANTITY.fullmatch, "a quantity such as 1Gi or 512Mi"
            ),
            guest_user=reader.matching(
                "GUEST_USER", cls.guest_user, _is_guest_user, "a Linux user name such as tester, and not root"
            ),
            boot_timeout=reader.time("BOOT_TIMEOUT", cls.boot_timeout),
            swap_timeout=reader.time("SWAP_TIMEOUT", cls.swap_timeout),
            reach_timeout=reader.time("REACH_TIMEOUT", cls.reach_timeout),
            silence_window=reader.time("SILENCE_WINDOW", cls.silence_window),
            allow_disruptive=reader.yes_or_no("ALLOW_DISRUPTIVE", cls.allow_disruptive),
            expected_capabilities=reader.names("EXPECTED_CAPABILITIES"),
        )
        settings._check_vlans_differ()
        if settings.other_bridge == settings.bridge:
            raise _bad("OTHER_BRIDGE", settings.other_bridge, f"a bridge that differs from BRIDGE={settings.bridge}")
        return settings

    def _check_vlans_differ(self) -> None:
        chosen = dict(zip(_VLANS, (self.old_vlan, self.new_vlan, self.other_vlan), strict=True))
        for name, value in chosen.items():
            twin = next((other for other in chosen if other != name and chosen[other] == value), None)
            if twin is not None:
                raise _bad(twin, value, f"a VLAN that differs from {name}={value}")


VARIABLES = (
    "KUBECONFIG",
    "CONTEXT",
    "NAMESPACE_PREFIX",
    "BRIDGE",
    "OTHER_BRIDGE",
    "OLD_VLAN",
    "NEW_VLAN",
    "OTHER_VLAN",
    "VM_IMAGE",
    "VM_MEMORY",
    "GUEST_USER",
    "BOOT_TIMEOUT",
    "SWAP_TIMEOUT",
    "REACH_TIMEOUT",
    "SILENCE_WINDOW",
    "ALLOW_DISRUPTIVE",
    "EXPECTED_CAPABILITIES",
)
"""Names of the variables that `Settings.from_variables` reads."""


class _Reader:
    def __init__(self, values: Mapping[str, object], seconds: Seconds) -> None:
        self._values = values
        self._seconds = seconds

    def text(self, name: str, default: str) -> str:
        value = self._values.get(name)
        return default if value is None else str(value).strip()

    def matching(self, name: str, default: str, good: Callable[[str], object], expected: str) -> str:
        value = self.text(name, default)
        if not good(value):
            raise _bad(name, value, expected)
        return value

    def vlan(self, name: str, default: int) -> int:
        value = self._values.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not re.fullmatch(r"\d{1,4}", str(value).strip()) or int(str(value)) > 4094:
            raise _bad(name, value, "a VLAN id, a whole number from 0 (untagged) to 4094")
        return int(str(value))

    def yes_or_no(self, name: str, default: bool) -> bool:
        value = self.text(name, "yes" if default else "no").lower()
        if value not in ("yes", "no", "true", "false"):
            raise _bad(name, self._values.get(name), "yes or no")
        return value in ("yes", "true")

    def names(self, name: str) -> tuple[str, ...]:
        """A list with commas, as text or as a list of YAML."""
        value = self._values.get(name) or ""
        items = value if isinstance(value, list | tuple) else str(value).split(",")
        return tuple(text for item in items if (text := str(item).strip()))

    def time(self, name: str, default: float) -> float:
        value = self._values.get(name)
        if value is None:
            return default
        try:
            result = self._seconds(str(value))
        except ValueError:
            result = 0.0
        if not 0 < result <= 86400:
            raise _bad(name, value, 'a time above 0 and up to one day, such as "90 s" or "2 min 30 s"')
        return result


def _is_guest_user(name: str) -> bool:
    return _USER.fullmatch(name) is not None and name != "root"


def _bad(name: str, value: object, expected: str) -> BadInput:
    return BadInput(f'variable {name} is "{value}"; expected {expected}; set it with --variable {name}:<value>')
