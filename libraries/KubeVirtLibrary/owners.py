"""Keywords: a VM owner who has the rights of one namespace only."""

from __future__ import annotations

import enum

from livenad.api.api_errors import ApiError
from livenad.api.client import Cluster
from livenad.api.kinds import MIGRATION, NAD, VM, Object
from livenad.context import Run
from livenad.errors import LAB_ERROR_PREFIX, BadInput, ProductFault
from livenad.permissions.vm_owner import create_owner
from robot.api.deco import keyword

from KubeVirtLibrary.reporting import step
from KubeVirtLibrary.swaps import SwapKeywords

_REFUSED_FOR_ITS_CONTENT = (400, 404, 409, 422)


class Deed(enum.Enum):
    """What a VM owner may not do."""

    create_migration = "create a migration object"
    change_nad = "change a NAD"
    list_vms_elsewhere = "list VMs of another namespace"


class OwnerKeywords:
    """The owner's requests are made with a token of his own."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str], Cluster] = {}

    @keyword(name="Create VM Owner", tags=["namespace"])
    def create_vm_owner(self, name: str) -> None:
        """Creates a service account with the namespace role ``edit``.

        Needs `User Should Be Allowed To` ``make-vm-owners``; an error of the lab when we may not.

        Args:
        | ``name`` | name of the service account. |
        """
        run = Run.current()
        self._owners[run.scope, name] = create_owner(run, name)
        step(f"VM owner {run.require_namespace()}/{name} has the role edit there")

    @keyword(name="Change VM Network As Owner", tags=["swap"])
    def change_vm_network_as_owner(self, vm: str, *, owner: str, nic: str, network: str) -> None:
        """Like `Change VM Network`, with the rights of a VM owner. Fails when he is forbidden to edit his VM.

        Args:
        | ``vm`` | a VM that runs. |
        | ``owner`` | of `Create VM Owner`. |
        | ``nic`` | one of the VM's NICs. |
        | ``network`` | NAD to move to. |
        """
        run = Run.current()
        ours, run.cluster = run.cluster, self._cluster(owner)
        try:
            SwapKeywords().change_vm_network(vm, nic=nic, network=network)
        except ApiError as error:
            if error.status != 403:
                raise
            raise ProductFault(
                f"VM owner {run.require_namespace()}/{owner}: expected to be allowed to change the network of {vm} by "
                f"the role edit, was forbidden: {error.args[0].removeprefix(LAB_ERROR_PREFIX)}"
            ) from None
        finally:
            run.cluster = ours

    @keyword(name="VM Owner Should Be Refused", tags=["verdict"])
    def vm_owner_should_be_refused(self, owner: str, *, deed: Deed, subject: str) -> None:
        """Fails unless the API server forbids a VM owner something (403). Asked as a dry run: nothing is changed.

        A request that is refused for what is in it (400, 404, 409, 422) was not forbidden: rights are asked first.

        Args:
        | ``owner`` | of `Create VM Owner`. |
        | ``deed`` | ``create_migration`` of a VM, ``change_nad``, or ``list_vms_elsewhere``. |
        | ``subject`` | the VM, the NAD, or the other namespace. |
        """
        run = Run.current()
        namespace, cluster = run.require_namespace(), self._cluster(owner)
        if deed is not Deed.list_vms_elsewhere:
            subject = run.naming.real(subject)
        dry = {"dryRun": "All"}
        body: Object = {"apiVersion": MIGRATION.api_version, "kind": MIGRATION.name, "spec": {"vmiName": subject}}
        try:
            if deed is Deed.create_migration:
                body["metadata"] = {"generateName": "owner-", "namespace": namespace}
                cluster.request("POST", MIGRATION.path(namespace), query=dry, body=body, repeatable=True)
            elif deed is Deed.change_nad:
                merge = "application/merge-patch+json"
                path, patch = NAD.path(namespace, subject), {"metadata": {"labels": {"changed": "true"}}}
                cluster.request("PATCH", path, query=dry, body=patch, content_type=merge, repeatable=True)
            else:
                cluster.request("GET", VM.path(subject))
        except ApiError as error:
            if error.status == 403:
                step(f"{owner} may not {deed.value}: {error}")
                return
            if error.status not in _REFUSED_FOR_ITS_CONTENT:
                raise
        raise ProductFault(
            f"VM owner {namespace}/{owner}: expected to be forbidden to {deed.value} ({subject}), was allowed"
        )

    def _cluster(self, owner: str) -> Cluster:
        key = (Run.current().scope, owner)
        if key not in self._owners:
            raise BadInput(f'VM owner "{owner}" is not there; call `Create VM Owner`')
        return self._owners[key]
