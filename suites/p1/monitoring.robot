*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Monitoring
Documentation       The cluster's monitoring follows a network swap.
...
...                 - *Topology:* one VM with a pod network and two bridge NICs; no peers.
...                 - *Moves:* NIC "secondary", from the old network to the new one.
...                 - *Verified:* kubevirt_vmi_vnic_info and kubevirt_vm_vnic_info name the new network and no longer
...                   the old one; the series of the other NICs are unchanged. They are read from Thanos, Prometheus, or
...                   KubeVirt's own pods, whichever the user can read.
...                 - *Out of scope:* alerts and dashboards; traffic counters.
...                 - *Reference:* VEP 140.
Metadata            Scenario    nad-16

Resource            ../../resources/network_change.resource

Suite Setup         Swap A Network Under Monitoring
Suite Teardown      Close Test Namespace

Test Tags           p1    tier1    linux-bridge    vep-140    nad-16    r28


*** Test Cases ***
Monitoring Of The Running VM Shows The New Network
    [Documentation]    kubevirt_vmi_vnic_info, which describes the running VM.
    [Metadata]    Requirements    R28
    [Tags]    cnv-16018
    Metrics Should Show New Network    ${VM}    nic=${NIC}    metric=VMI    within=${MONITORING_TIMEOUT}

Monitoring Of The VM's Definition Shows The New Network
    [Documentation]    kubevirt_vm_vnic_info, which describes the VM as it is defined.
    [Metadata]    Requirements    R28
    [Tags]    cnv-16018
    Metrics Should Show New Network    ${VM}    nic=${NIC}    metric=VM    within=${MONITORING_TIMEOUT}

No Series With The Old Network Remains
    [Documentation]    In neither metric, while the VM's other NICs still have their series.
    [Metadata]    Requirements    R28
    [Tags]    cnv-16019
    Metrics Should Not Show Old Network    ${VM}    nic=${NIC}    within=${MONITORING_TIMEOUT}

Monitoring Of The Other NICs Is Unchanged
    [Documentation]    The pod network's NIC and the bridge NIC that was not edited keep their series unchanged; nothing
    ...    else differs.
    [Metadata]    Requirements    R28
    Metrics Of Other NICs Should Be Unchanged    ${VM}    nic=${NIC}    within=${MONITORING_TIMEOUT}
    Nothing Else Should Have Changed    ${VM}


*** Keywords ***
Swap A Network Under Monitoring
    [Documentation]    Waits until monitoring shows each NIC once, then makes the edit.
    Cluster Should Offer    live-update    automatic-migration    metrics
    Open Test Namespace
    Create Three VLANs
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}
    Add NIC    ${VM}    ${OTHER_NIC}    network=${OTHER_NETWORK}
    Start VMs
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}
    Record Metrics    ${VM}    within=${MONITORING_TIMEOUT}
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
