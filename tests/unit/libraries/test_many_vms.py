"""Many VMs at one time, in a namespace of the suite's own and in one that others use as well."""

from __future__ import annotations

from datetime import timedelta

import pytest
from livenad.api.client import Cluster
from livenad.api.kinds import NAMESPACE, VM
from livenad.context import Run
from livenad.errors import BadInput
from livenad.ownership.created_resources import Ledger
from livenad.settings import Settings

from tests.unit.libraries.test_kubevirt_keywords import Keywords
from tests.unit.support.fake_api import FakeApi


@pytest.mark.parametrize("given", ["", "team-a"])
def test_group_is_named_and_found_as_every_other_vm(given: str, api: FakeApi, cluster: Cluster) -> None:
    run = Run(Settings(namespace=given), cluster, Ledger(cluster, "r1"), "r1")
    api.put(NAMESPACE.path(), {"metadata": {"name": "team-a"}})
    run.make_current()
    call = Keywords()
    try:
        call("Open Test Namespace")
        call("Create Bridge Network", "blue", bridge="br1", vlan=100)
        call("Define VM", "many")
        call("Define Many VMs", "many", count=2, nic="secondary", network="blue")
        call("Start VMs")
        made = sorted(name for path, name in api.objects if path == VM.path(run.require_namespace()))
        assert made == sorted(f"{name}{run.naming.suffix}" for name in ("many", "many-1", "many-2"))
        assert bool(run.naming.suffix) == bool(given)
        with pytest.raises(BadInput, match=rf'the network of VM "many-1{run.naming.suffix}" was not changed'):
            call("Network Swaps Of Many VMs Should Have Completed", "many", within=timedelta(seconds=1))
        with pytest.raises(BadInput, match='no VM of group "few" is defined'):
            call("Network Swaps Of Many VMs Should Have Completed", "few", within=timedelta(seconds=1))
    finally:
        if run.recorder is not None:
            run.recorder.stop()
        run.ledger.lease.stop()
        run.forget()
