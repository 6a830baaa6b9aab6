# SPDX-License-Identifier: Apache-2.0
"""What the recordings show of limits, aborts, waits and defects: things that depend on more than one VM or moment."""

from __future__ import annotations

from emulator.apiserver.objects import clone
from emulator.apiserver.rbac import Attributes, Authorizer
from emulator.apiserver.users import UserInfo
from emulator.controlplane import names
from emulator.fault_points import Defect, FaultPoints
from emulator.kube import conditions

from .lab import NAMESPACE, Lab, running_lab


def phases(lab: Lab) -> list[str]:
    return [m.get("status", {}).get("phase", "") for m in lab.migrations()]


async def test_a_revert_in_time_deletes_the_migration() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        lab.agent.may_start_pods.clear()
        await lab.swap("nad-b")
        await lab.until("the migration waits for its pod", lambda: phases(lab) == ["Scheduling"])
        await lab.swap("nad-a")
        await lab.until("it is aborted", lambda: bool(lab.events("SuccessfulChangeAbortion")))
        await lab.until("it is gone", lambda: lab.last("VirtualMachineInstanceMigration") is None)
        await lab.quiet(10)
        assert phases(lab) == ["Failed"]
        migration = lab.migrations()[0]
        assert conditions.is_true(migration, "migrationAbortRequested")
        vmi = lab.last("VirtualMachineInstance")
        assert vmi is not None
        assert conditions.find(vmi, "MigrationRequired") is None
        vm = lab.last("VirtualMachine")
        assert vm is not None
        assert vm["status"]["observedGeneration"] == vm["status"]["desiredGeneration"] == 3


async def test_five_migrations_at_most_and_two_from_a_node() -> None:
    async with running_lab("1.9", nodes=4) as lab:
        lab.agent.may_finish.clear()
        every = [f"vm{i}" for i in range(6)]
        for name in every:
            await lab.create_vm(name)
        await lab.until(
            "all run",
            lambda: all((lab.last("VirtualMachine", n) or {}).get("status", {}).get("ready") for n in every),
        )
        await lab.client.patch(names.NODES, "node1", None, {"spec": {"unschedulable": False}})
        for name in every:
            await lab.swap("nad-b", name)
        await lab.until("five are made", lambda: len(lab.migrations()) == 5 and all(phases(lab)))
        await lab.quiet(15)
        assert len(lab.migrations()) == 5
        sources: dict[str, int] = {}
        for migration in lab.migrations():
            # One that has just been made has no status yet, and is not even pending.
            if migration.get("status", {}).get("phase", "Pending") != "Pending":
                vmi = lab.last("VirtualMachineInstance", migration["spec"]["vmiName"])
                assert vmi is not None
                node = vmi["status"]["nodeName"]
                sources[node] = sources.get(node, 0) + 1
        assert sources
        assert max(sources.values()) <= 2
        lab.agent.may_finish.set()
        done = ["Succeeded"] * 6
        await lab.until("all six succeed", lambda: phases(lab) == done, within=20)


async def test_a_migration_counts_from_the_moment_its_target_pod_is_made() -> None:
    async with running_lab("1.9", nodes=3) as lab:
        lab.agent.may_finish.clear()
        await lab.configure({"configuration": {"migrations": {"parallelMigrationsPerCluster": 1}}})
        every = ["vm1", "vm2", "vm3"]
        for name in every:
            await lab.running_vm(name)
        meta = {"generateName": "by-hand-", "namespace": NAMESPACE}
        kind = {"apiVersion": names.API_VERSION, "kind": "VirtualMachineInstanceMigration"}
        for name in every:
            await lab.client.create(names.MIGRATION, {**kind, "metadata": meta, "spec": {"vmiName": name}})
        await lab.until("one runs", lambda: "Running" in phases(lab))
        targets = [pod for pod in lab.all_of("Pod") if names.MIGRATION_JOB_UID in pod["metadata"]["labels"]]
        assert len(targets) == 1
        assert sorted(phases(lab)) == ["Pending", "Pending", "Running"]


async def test_an_unschedulable_target_warns_and_goes_on_when_a_node_comes_back() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        for name in ("node1", "node2"):
            await lab.client.patch(names.NODES, name, None, {"spec": {"unschedulable": True}})
        await lab.swap("nad-b")
        await lab.until("it warns", lambda: bool(lab.events("migrationTargetPodUnschedulable")))
        warning = lab.events("migrationTargetPodUnschedulable")[0]
        assert warning["message"] == "Migration target pod for VMI [lab/vm1] is currently unschedulable."
        assert lab.events("FailedScheduling")
        for name in ("node1", "node2"):
            await lab.client.patch(names.NODES, name, None, {"spec": {"unschedulable": False}})
        await lab.until("it succeeds", lambda: phases(lab) == ["Succeeded"])


async def test_a_target_that_stays_unschedulable_is_given_up_after_five_minutes() -> None:
    async with running_lab("1.9", nodes=1) as lab:
        await lab.running_vm()
        await lab.swap("nad-b")
        await lab.until("it is made", lambda: bool(lab.migrations()))
        name = lab.migrations()[0]["metadata"]["name"]
        limit = {"metadata": {"annotations": {names.UNSCHEDULABLE_TIMEOUT: "30"}}}
        await lab.client.patch(names.MIGRATION, name, NAMESPACE, limit)
        await lab.until("it fails", lambda: "Failed" in phases(lab))
        assert "unschedulable pod lab/virt-launcher-vm1-" in lab.events("SuccessfulDelete")[0]["message"]
        failed = "Migration target pod was removed during active migration."
        assert failed in [event["message"] for event in lab.events("FailedMigration")]


async def test_five_finished_migrations_are_kept() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        for count in range(1, 8):
            await lab.swap("nad-b" if count % 2 else "nad-a")
            wanted = ["Succeeded"] * count
            await lab.until(f"swap {count}", lambda wanted=wanted: phases(lab) == wanted)  # type: ignore[misc]
        await lab.quiet(5)
        left, _ = await lab.client.list(names.MIGRATION, NAMESPACE)
        assert len(left) == 5


async def test_a_blink_of_restart_required_can_be_injected() -> None:
    blinked: list[bool] = []

    def blink(value: bool, **context: object) -> bool:
        if not blinked and context["vm"]["metadata"]["generation"] == 2:  # type: ignore[index]
            blinked.append(True)
            context["requeue"](0.1)  # type: ignore[operator]
            return True
        return value

    defect = Defect("blink", "it blinks", (), "vm.restart_required", blink)
    async with running_lab("1.9", fault_points=FaultPoints([defect])) as lab:
        await lab.running_vm()
        await lab.swap("nad-b")
        await lab.until("it succeeds", lambda: phases(lab) == ["Succeeded"])
        vms = [obj for _, kind, obj in lab.history if kind == "VirtualMachine"]
        seen = [conditions.is_true(vm, "RestartRequired") for vm in vms]
        assert True in seen
        assert seen[-1] is False


async def test_a_vm_that_fails_to_start_waits_before_the_next_attempt() -> None:
    async with running_lab("1.9") as lab:
        lab.agent.may_run.clear()
        await lab.create_vm()

        def scheduled() -> bool:
            vmi = lab.last("VirtualMachineInstance") or {}
            return bool(vmi.get("status", {}).get("phase") == "Scheduled")

        await lab.until("it is scheduled", scheduled)
        await lab.agent.client.patch(names.VMI, "vm1", NAMESPACE, {"status": {"phase": "Failed"}})

        def printed() -> str:
            return str((lab.last("VirtualMachine") or {}).get("status", {}).get("printableStatus"))

        await lab.until("it is held back", lambda: printed() == "CrashLoopBackOff")
        assert (lab.last("VirtualMachine") or {})["status"]["startFailure"]["consecutiveFailCount"] == 1
        lab.agent.may_run.set()
        await lab.until("it runs", lambda: printed() == "Running")
        assert "startFailure" not in (lab.last("VirtualMachine") or {})["status"]


async def test_a_vm_that_is_deleted_takes_everything_along() -> None:
    async with running_lab("1.9") as lab:
        await lab.running_vm()
        await lab.swap("nad-b")
        await lab.until("it succeeds", lambda: phases(lab) == ["Succeeded"])
        await lab.client.delete(names.VM, "vm1", NAMESPACE)
        for kind in ("VirtualMachine", "VirtualMachineInstance", "Pod"):
            await lab.until(f"no {kind} is left", lambda kind=kind: lab.last(kind) is None)  # type: ignore[misc]
        await lab.quiet(5)
        assert (await lab.client.list(names.PODS, NAMESPACE))[0] == []


async def test_a_vm_owner_may_look_at_migrations_and_not_make_them() -> None:
    async with running_lab("1.9") as lab:
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "owner", "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "User", "name": "alice", "apiGroup": "rbac.authorization.k8s.io"}],
        }
        await lab.client.create("rolebindings.rbac.authorization.k8s.io", clone(binding))
        alice = UserInfo("alice", ("system:authenticated",))
        authorizer = Authorizer(lab.core)

        def may(verb: str, resource: str, group: str = "kubevirt.io") -> bool:
            asked = Attributes(verb, group=group, resource=resource, name="vm1", namespace=NAMESPACE)
            return authorizer.decide(alice, asked).allowed

        streams = "subresources.kubevirt.io"
        assert may("patch", "virtualmachines")
        assert may("watch", "virtualmachineinstancemigrations")
        assert not may("create", "virtualmachineinstancemigrations")
        assert not may("create", "network-attachment-definitions", "k8s.cni.cncf.io")
        assert may("get", "virtualmachineinstances/console", streams)
        assert may("get", "virtualmachineinstances/portforward", streams)
        assert may("update", "virtualmachines/restart", streams)
        assert not may("update", "virtualmachines/migrate", streams)
        everybody = UserInfo("bob", ("system:authenticated",))
        asked = Attributes("list", group="kubevirt.io", resource="kubevirts", namespace="kubevirt")
        assert authorizer.decide(everybody, asked).allowed
