# SPDX-License-Identifier: Apache-2.0
"""What a user may set, typed and checked; every complaint names variable, value, expectation and remedy.

The variables themselves, with their defaults and meaning, are in ``variables/defaults.yaml``: each has the name of a
field below, in capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from livenad import setting_readers as values
from livenad.dns_names import is_dns_label
from livenad.errors import BadInput
from livenad.setting_readers import Reader, Seconds, Unreadable

_QUANTITY = re.compile(r"[1-9]\d*(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_IMAGE = re.compile(r"[a-z0-9]([\w.-]*[\w])?(:\d+)?(/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?", re.ASCII)
_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,14}")
_PHYSICAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_VERSION = re.compile(r"(v?[01]\.\d{1,3}(\.\d\S*)?)?", re.ASCII)
_URL = re.compile(r"(https?://[^\s/]+(/\S*)?)?")
_CLASS = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?")
_LONGEST_PREFIX = 50
_BRIDGE_EXPECTED = "the name of a Linux bridge, 15 characters at most, no spaces"
_NUMBERS: dict[Reader, tuple[type, ...]] = {
    values.time: (int, float),
    values.time_or_nothing: (int, float),
    values.percent: (int,),
}
"""What besides text a reader takes; bool is no number."""


def _is_guest_user(name: str) -> bool:
    return _USER.fullmatch(name) is not None and name != "root"


def is_image(text: str) -> bool:
    """Whether a text may be the name of a container image, with or without registry, tag and digest."""
    return _IMAGE.fullmatch(text) is not None


def is_quantity(text: str) -> bool:
    """Whether a text may be an amount of memory, such as ``1Gi``."""
    return _QUANTITY.fullmatch(text) is not None


def _is_dns_label_or_empty(name: str) -> bool:
    return not name or is_dns_label(name)


def _set(default: Any, reader: Reader) -> Any:
    return field(default=default, metadata={"reader": reader, "types": _NUMBERS.get(reader, ())})


def _count(default: int, most: int) -> Any:
    return field(default=default, metadata={"reader": values.count(most), "types": (int,)})


def _switch(default: bool) -> Any:
    return field(default=default, metadata={"reader": values.yes_or_no, "types": (bool,)})


def _is_device_or_empty(name: str) -> bool:
    return not name or _DEVICE.fullmatch(name) is not None


@dataclass(frozen=True)
class Settings:
    """The values of a run. Times are in seconds, VLANs 1 to 4094; what each means is told in the variable file."""

    kubeconfig: str = _set("", values.plain)
    context: str = _set("", values.plain)
    verify_tls: bool = _switch(True)
    kubevirt_version: str = _set(
        "", values.matching(_VERSION.fullmatch, "nothing, or a version of KubeVirt such as 1.9 or v1.8.4")
    )
    namespace_prefix: str = _set(
        "nad-swap",
        values.matching(
            lambda text: is_dns_label(text) and len(text) <= _LONGEST_PREFIX,
            f"lower-case letters, digits and hyphens, {_LONGEST_PREFIX} characters at most",
        ),
    )
    namespace: str = _set("", values.matching(_is_dns_label_or_empty, "nothing, or the name of a namespace"))
    lease_namespace: str = _set(
        "default", values.matching(_is_dns_label_or_empty, "nothing, or the name of a namespace")
    )
    lease_timeout: float = _set(1800.0, values.time)
    node_network: str = _set("existing", values.one_of("existing", "nmstate", "node-local"))
    bridge: str = _set("br1", values.matching(_DEVICE.fullmatch, _BRIDGE_EXPECTED))
    other_bridge: str = _set("br2", values.matching(_is_device_or_empty, f"nothing, or {_BRIDGE_EXPECTED}"))
    spare_nic: tuple[str, ...] = _set(
        (), values.words(_DEVICE.fullmatch, "nothing, or names of NICs separated by commas, such as ens4, ens5")
    )
    vlans: tuple[int, ...] = _set(tuple(range(100, 200)), values.vlans)
    localnet: str = _set("existing", values.one_of("none", "existing", "nmstate"))
    localnet_api: str = _set("nad", values.one_of("nad", "cudn"))
    physical_network: str = _set(
        "physnet", values.matching(_PHYSICAL.fullmatch, "the name of a physical network, 63 characters at most")
    )
    localnet_bridge: str = _set(
        "br-ex", values.matching(_DEVICE.fullmatch, "the name of an OVS bridge, 15 characters at most, no spaces")
    )
    network_timeout: float = _set(600.0, values.time)
    ipv4_prefix: str = _set("10.10", values.ipv4_prefix)
    ipv6_prefix: str = _set("fd00:10:10", values.ipv6_prefix)
    vm_image: str = _set(
        "quay.io/containerdisks/fedora:41",
        values.matching(_IMAGE.fullmatch, "an image such as quay.io/org/disk:tag"),
    )
    vm_memory: str = _set("1Gi", values.matching(is_quantity, "a quantity such as 1Gi or 512Mi"))
    guest_user: str = _set("tester", values.matching(_is_guest_user, "a Linux user name such as tester, and not root"))
    boot_timeout: float = _set(600.0, values.time)
    swap_timeout: float = _set(600.0, values.time)
    reach_timeout: float = _set(60.0, values.time)
    silence_window: float = _set(5.0, values.time)
    isolation_window: float = _set(2.0, values.time)
    non_migratable_by: str = _set("binding", values.one_of("binding", "volume"))
    storage_class: str = _set("", values.matching(_CLASS.fullmatch, "nothing, or the name of a StorageClass"))
    monitoring_timeout: float = _set(300.0, values.time)
    monitoring_url: str = _set(
        "", values.matching(_URL.fullmatch, "nothing, or a URL such as https://prometheus.lab:9090")
    )
    monitoring_token_file: str = _set("", values.plain)
    quiet_window: float = _set(12.0, values.time)
    settled_window: float = _set(25.0, values.time)
    gap_threshold: float | None = _set(None, values.time_or_nothing)
    loss_limit: int = _set(10, values.percent)
    many_vms: int = _count(6, 500)
    allow_disruptive: bool = _switch(False)
    expected_capabilities: tuple[str, ...] = _set(
        (), values.words(is_dns_label, "nothing, or names of capabilities separated by commas, such as localnet, ipv6")
    )

    @classmethod
    def from_variables(cls, given: Mapping[str, object], seconds: Seconds) -> Settings:
        """Check the user's values, keyed by variable name; those that are missing keep their defaults.

        Raises BadInput for the first value that is wrong.
        """
        chosen = {}
        for entry in fields(cls):
            name, value = entry.name.upper(), given.get(entry.name.upper())
            if value is None:
                continue
            try:
                chosen[entry.name] = entry.metadata["reader"](_text(entry, value), seconds)
            except Unreadable as unreadable:
                raise _bad(name, value, str(unreadable)) from None
        settings = cls(**chosen)
        settings = replace(settings, lease_namespace=settings.lease_namespace or settings.namespace or "default")
        if settings.node_network == "existing" and settings.other_bridge == settings.bridge:
            raise _bad("OTHER_BRIDGE", settings.other_bridge, f"a bridge that differs from BRIDGE={settings.bridge}")
        return settings


VARIABLES = tuple(entry.name.upper() for entry in fields(Settings))
"""Names of the variables that `Settings.from_variables` reads."""

TEXTS = frozenset(entry.name.upper() for entry in fields(Settings) if not entry.metadata["types"])
"""Those whose values are text, so that a number or a truth value is none of them."""


def nearest(name: str, known: Iterable[str] = VARIABLES) -> str:
    """The known name that is most like this one, "" where none is."""
    by_plain = {_plain(one): one for one in known}
    found = get_close_matches(_plain(name), by_plain, n=1, cutoff=0.6)
    return by_plain[found[0]] if found else ""


def unchosen_networks(given: Mapping[str, object]) -> list[str]:
    """Names of variables that say where the networks of a cluster are, and that have no value given.

    Their defaults are those of the embedded cluster: on any other one they would be a guess.
    """
    needed = ["NODE_NETWORK", "LOCALNET"]
    how = given.get("NODE_NETWORK")
    if how != "node-local" or given.get("LOCALNET") not in (None, "none"):
        needed.insert(1, "VLANS")
    if how == "existing":
        needed[1:1] = ["BRIDGE", "OTHER_BRIDGE"]
    if given.get("LOCALNET") == "existing":
        needed.append("PHYSICAL_NETWORK")
    return [name for name in needed if name not in given]


def _plain(name: str) -> str:
    return name.upper().replace("_", "").replace(" ", "")


def _text(entry: Field[Any], value: object) -> str:
    """A value as the user would have written it on the command line; YAML has lists as well."""
    if isinstance(value, list | tuple):
        return ", ".join(_text(entry, part) for part in value)
    types = entry.metadata["types"]
    if not isinstance(value, str) and type(value) not in types:
        raise Unreadable(
            f"text, and this is a value of type {type(value).__name__}, which may differ from what was written (YAML "
            f'reads 10.20 as 10.2, 0100 as 64 and no as False): put it in quotes, {entry.name.upper()}: "..."'
        )
    return str(value).strip()


def _bad(name: str, value: object, expected: str) -> BadInput:
    shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value).strip()
    return BadInput(f'variable {name} is "{shown}"; expected {expected}; set it with --variable {name}:<value>')
