# SPDX-License-Identifier: Apache-2.0
"""Keywords: VMs of the user's own, from a manifest or there already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from livenad.api.kinds import VM, VMI, Object, meta
from livenad.errors import BadInput, TestError
from livenad.model import Address, VmRecord
from livenad.ownership.labels import run_of
from livenad.virtual_machines.credentials import given_login
from livenad.virtual_machines.user_manifest import learn_macs, read_manifest
from robot.api.deco import keyword
from robot.api.types import Secret

from KubeVirtLibrary.base import KeywordComponent
from KubeVirtLibrary.log import details, step
from KubeVirtLibrary.types import VmName, parse_addresses
from KubeVirtLibrary.virtual_machines import nic_text


class UserVmKeywords(KeywordComponent):
    """What the user brings is kept as it is; only what the suite created is removed."""

    @keyword(name="Define VM From Manifest", tags=["user vms", "core"])
    def define_vm_from_manifest(
        self,
        vm: VmName,
        manifest: Path,
        *,
        addresses: dict[str, str] | None = None,
        user: str = "",
        password: Secret | str | None = None,
        private_key: Path | None = None,
    ) -> None:
        """Defines a VM of this suite by your own manifest. `Start VMs` creates it.

        Everything in the manifest is kept, except name, namespace, and fields that only the API server writes. Added
        are:

        - the labels by which these libraries find what they created, on the VM and on its template;
        - a MAC for each NIC that has none, and a NIC on the pod network if the manifest has no NIC at all;
        - cloud-init data (NoCloud) with a user and keys of this run and with the given addresses. They are not added if
          the manifest has cloud-init or sysprep of its own, or if ``user`` is given. Keywords then log into the guest
          with ``user`` and ``password`` or ``private_key``.

        Secrets, claims and NADs that the manifest names have to exist. A network of `Create Network` is named as in the
        suite. A file that is not a manifest of exactly one VirtualMachine is a TEST ERROR. The VM is removed at the end
        of the suite.

        Args:
        | ``vm`` | name of the VM, a DNS label of 50 characters at most. |
        | ``manifest`` | path of a YAML file. |
        | ``addresses`` | dictionary: for each NIC its static addresses with prefix, separated by commas. |
        | ``user`` | a user in the guest who may run commands. |
        | ``password`` | the user's password, for SSH and the serial console; best of type ``Secret``. |
        | ``private_key`` | path of the user's SSH key without passphrase. |

        Example:
        | VAR    &{addresses}    secondary=10.10.0.20/24
        | Define VM From Manifest    shop    ${CURDIR}/shop.yaml    addresses=${addresses}
        """
        suite = self.suite
        record = suite.vms.define_from_manifest(
            vm,
            read_manifest(manifest),
            given_login(vm, user, _unwrapped(password), private_key),
            network=self._network_of_manifest,
            addresses=_parsed(addresses),
        )
        record.recorded_from = len(self.history)
        login = "logs in as given" if user else "set up by cloud-init of this run"
        if not record.login.user:
            login = "without a login: keywords that look into it need user="
        step(f"{record.subject} defined from {manifest}; its guest: {login}")
        _show_nics(record)

    @keyword(name="Use Existing VM", tags=["user vms", "core"])
    def use_existing_vm(
        self,
        vm: VmName,
        *,
        addresses: dict[str, str] | None = None,
        user: str = "",
        password: Secret | str | None = None,
        private_key: Path | None = None,
    ) -> None:
        """Adds a VM that already exists in the namespace of variable NAMESPACE to this suite's VMs.

        From now on its states are recorded, and all keywords can check and change it like any other VM. The VM is never
        removed or renamed, and `Co-locate VMs` does not move it.

        Changes of the VM are not reverted at the end of the suite. Networks of `Create Network` are removed then: if
        you moved the VM to such a network, move it back before.

        If NAMESPACE is not set, it is a LAB ERROR. A VM that does not exist, or that a run of these libraries created,
        is a TEST ERROR. If ``user`` is not given, keywords that log into the guest fail with a TEST ERROR.

        Args:
        | ``vm`` | name of the VM on the cluster. |
        | ``addresses`` | dictionary: for each NIC the addresses with prefix that its guest has, separated by commas. |
        | ``user`` | a user in the guest who may run commands. |
        | ``password`` | the user's password, for SSH and the serial console; best of type ``Secret``. |
        | ``private_key`` | path of the user's SSH key without passphrase. |

        Example:
        | VAR    &{addresses}    secondary=10.10.7.10/24
        | Use Existing VM    web    addresses=${addresses}    user=admin    password=${PASSWORD}
        """
        run, suite = self.run, self.suite
        if not run.settings.namespace:
            raise BadInput(
                f'variable NAMESPACE is "", and VM {vm} must exist already; expected the namespace that it is in; set '
                "it with --variable NAMESPACE:<namespace>"
            )
        suite.vms.require_free(vm)
        login, given = given_login(vm, user, _unwrapped(password), private_key), _parsed(addresses)
        there = self._existing(vm)
        suite.namespace.naming.adopt(vm)
        suite.recorder.select_again()
        suite.recorder.catch_up()
        vmi = self.history.current(VMI, vm)
        record = suite.vms.use_existing(there, vmi, login, given)
        learn_macs(record, vmi)
        state = "it runs" if vmi else "it does not run"
        step(f"{record.subject} exists and is used: {state}; it is recorded from now on and stays when the suite ends")
        _show_nics(record)

    def _existing(self, vm: str) -> Object:
        run, namespace = self.run, self.suite.namespace.name
        found = run.cluster.find(VM, vm, namespace)
        if found is None:
            names = [str(meta(item, "name")) for item in run.cluster.list(VM, namespace).items if not run_of(item)]
            listed = ", ".join(names) or "none"
            raise TestError(f"VM {namespace}/{vm} does not exist; existing VMs: {listed}")
        if owner := run_of(found):
            raise TestError(
                f"VM {namespace}/{vm} was created by run {owner} of these libraries, which removes it; expected a VM "
                "of your own"
            )
        return found

    def _network_of_manifest(self, name: str) -> str:
        """The name on the cluster of a NAD in a manifest: that of one of `Create Network`, else as it stands there."""
        networks, home = self.run.networks, self.suite.namespace.name
        return networks.real_name(name) if name.removeprefix(f"{home}/") in networks.made_here() else name


def _unwrapped(password: Secret | str | None) -> str:
    return str(password.value) if isinstance(password, Secret) else password or ""


def _parsed(addresses: Mapping[str, str] | None) -> dict[str, tuple[Address, ...]]:
    return {nic: parse_addresses(text, nic) for nic, text in (addresses or {}).items()}


def _show_nics(record: VmRecord) -> None:
    details("NICs", "\n".join(nic_text(nic) for nic in record.nics) or "none")
