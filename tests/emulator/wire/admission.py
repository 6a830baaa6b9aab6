# SPDX-License-Identifier: Apache-2.0
"""What the recorded requests to the webhooks found, and what happened between two of them."""

from __future__ import annotations

from typing import Any

from emulator.controlplane import names
from emulator.kube import conditions
from tests.emulator.apiserver.harness import nad

from .player import Obj
from .stage import VMS, Act, Scene, Stage, stopped_vm


async def limit_migrations(stage: Stage) -> None:
    limits = {"parallelMigrationsPerCluster": 40, "parallelOutboundMigrationsPerNode": 20}
    await stage.lab.configure({"configuration": {"migrations": limits}})


def _running(*vms: str) -> Act:
    def are_ready(found: dict[str, Obj]) -> bool:
        return all(found[name].get("status", {}).get("ready") for name in vms)

    return lambda stage: stage.settled(VMS, "wire-adm", are_ready)


async def _one_cannot_migrate(stage: Stage) -> None:
    await _running("nomig")(stage)
    await cannot_migrate(stage, "nomig", "wire-adm")


async def cannot_migrate(stage: Stage, name: str, namespace: str) -> None:
    """virt-handler finds that a VMI cannot migrate, in the recorded words."""
    vmi = await stage.lab.agent.client.get(names.VMI, name, namespace)
    message = "cannot migrate VMI: PVC lab-pvc is not shared, live migration requires that all PVCs must be shared "
    message += "(using ReadWriteMany access mode)"
    why = conditions.new("LiveMigratable", "False", reason="DisksNotLiveMigratable", message=message)
    conditions.put(vmi, why)
    await stage.lab.agent.client.replace(names.VMI, vmi)


async def _hold_migrations(stage: Stage) -> None:
    """As the recording's driver did: its orders to the stand-in are annotations of the VM's template."""
    order = {"spec": {"template": {"metadata": {"annotations": {"lab/migration-seconds": "8"}}}}}
    await stage.lab.client.patch(names.VM, "run", "wire-adm", order)
    stage.lab.agent.may_start_pods.clear()


async def _begin_migration(stage: Stage) -> None:
    """Until the answers show it: the recording's requests came more slowly. Its target was still starting."""

    def is_scheduling(found: dict[str, Obj]) -> bool:
        return bool(found["mig-1"].get("status", {}).get("phase") == "Scheduling")

    await stage.settled(names.MIGRATION, "wire-adm", is_scheduling)
    await stage.settled(VMS, "wire-adm", lambda found: found["run"]["status"].get("desiredGeneration") == 2)


async def _finish_migration(stage: Stage) -> None:
    stage.lab.agent.may_start_pods.set()

    def is_over(found: dict[str, Obj]) -> bool:
        migration = found["mig-1"]
        return migration.get("status", {}).get("phase") == "Succeeded" and not migration["metadata"].get("finalizers")

    await stage.settled(names.MIGRATION, "wire-adm", is_over)


async def _name_the_launcher(stage: Stage) -> None:
    """The recorded pod's name came from a list that is not recorded."""
    pods, _ = await stage.lab.client.list(names.PODS, "wire-adm", labels="vm.kubevirt.io/name=nomig")
    stage.player.chance.learn("virt-launcher-nomig-8k75w", pods[0]["metadata"]["name"])


def running_vm(name: str, **spec: Any) -> Obj:
    made = stopped_vm(name, "wire-adm")
    made["spec"] |= {"runStrategy": "Always", **spec}
    return made


ADMISSION = Scene(
    there=(
        nad("nad-a", "wire-adm"),
        nad("nad-b", "wire-adm"),
        running_vm("nomig"),
        running_vm("halted", runStrategy="Halted"),
    ),
    before={
        "001": limit_migrations,
        "088": _running("run"),
        "122": _one_cannot_migrate,
        "135": _hold_migrations,
        "138": _begin_migration,
        "141": _finish_migration,
        "142": _name_the_launcher,
    },
)
