*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Verdicts on recordings of a real control plane. A test's documentation states its status and message;
...                 ``*`` stands for anything, and white space is folded.

Library             KubeVirtLibrary
Library             ../scripted.py


*** Test Cases ***
Good Swap
    [Documentation]    PASS
    Replay
    NIC Change Should Have Completed    vm1    nic=net1    within=1 min
    VM Should Not Have Restarted    vm1
    Condition Should Never Have Been Set    vm1    RestartRequired
    VM Should Have Been Migrated    vm1
    VMI Interface Should Be Unchanged    vm1    nic=net1

Swap Without A Migration
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be complete within 1.0 s, is not after * s;
    ...    missing: the cluster's migration object for the edit is Succeeded: no migration object was made, the VMI's spec has the new network, MigrationRequired=True
    ...    (AutoMigrationDueToLiveUpdate)
    ...    also missing: migrationState is not set
    ...    also missing: nodeName is node1 as before the edit
    ...    also missing: MigrationRequired=True (AutoMigrationDueToLiveUpdate)
    ...    also missing: pod virt-launcher-vm1-* on node1 has interface pod6c270ef2f25 on lab-b-basic/nad-a,
    ...    expected lab-b-basic/nad-b
    Replay    but=no migration
    NIC Change Should Have Completed    vm1    nic=net1    within=1s

Swap With The Gate Off
    [Documentation]    FAIL
    ...    VM lab-b0-default-gates/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be complete within 1.0 s,
    ...    is not after * s; missing: the cluster's migration object for the edit is Succeeded:
    ...    no migration object was made, the VMI's spec still names "nad-a", *the VM has RestartRequired*
    Replay    gate-off-1.8.4
    NIC Change Should Have Completed    vm1    nic=net1    within=1s

Pod On The Old Network
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be complete within 1 min 0 s,
    ...    is not after * s; missing: the launcher pod's network-status names the new network for the NIC: pod virt-launcher-vm1-* on node2 has interface pod6c270ef2f25 on lab-b-basic/nad-a,
    ...    expected lab-b-basic/nad-b
    Replay    but=pods stay on the old network
    NIC Change Should Have Completed    vm1    nic=net1    within=1 min

Swap After Its Deadline
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1, NIC "net1" from "nad-a" to "nad-b": expected to be complete within 5.0 s,
    ...    was only after 14 s; last to come true: the cluster's migration object for the edit is Succeeded
    ...    (migration lab-b-basic/kubevirt-workload-update-* Succeeded)
    Replay
    NIC Change Should Have Completed    vm1    nic=net1    within=5s

Restart Asked For
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1: expected RestartRequired never to be set when only networkName changes; it was set
    ...    1.0 s after the edit for 0.5 s: RestartRequired=True (Changed)
    Replay    but=RestartRequired blinks
    Condition Should Never Have Been Set    vm1    RestartRequired

VMI Replaced
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1: expected to keep running without a restart; VMI * was replaced by another-uid * s after the edit
    Replay    but=the VMI is replaced
    VM Should Not Have Restarted    vm1

Migration Failed
    [Documentation]    FAIL
    ...    VM lab-l1-migration-fails/vm1: expected exactly one migration for the edit, there are 2:
    ...    lab-l1-migration-fails/kubevirt-workload-update-* (by the cluster, Failed 8.6 s after the edit),
    ...    lab-l1-migration-fails/kubevirt-workload-update-* (by the cluster, *)
    Replay    failed-migration-main
    VM Should Have Been Migrated    vm1

MAC Of The NIC Changed
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1, NIC "net1": expected the VMI to show it as before the swap, for 30 s it did not:
    ...    status mac was *, is 02:00:00:00:00:99
    Replay    but=the MAC changes
    VMI Interface Should Be Unchanged    vm1    nic=net1

What Was Recorded Is Told Later
    [Documentation]    FAIL
    ...    VM lab-b-basic/vm1: expected RestartRequired never to be set when only networkName changes; *
    Replay    but=RestartRequired blinks
    Record Check    restart    Condition Should Never Have Been Set    vm1    RestartRequired
    Recorded Check Should Pass    restart
