*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Stopped VM
Documentation       The network of a stopped VM is changed; the change applies at the next start, like any other edit.
...
...                 - *Topology:* as in scenario nad-01.
...                 - *Moves:* NIC "secondary", by an edit between a stop and a start.
...                 - *Verified:* the VM starts on the new network, and the edit leaves neither a condition nor a
...                   migration.
...                 - *Reference:* row R41.
Metadata            Scenario    nad-06

Resource            ../../resources/network_change.resource

Suite Setup         Change The Network Of A Stopped VM
Suite Teardown      Close Test Namespace

Test Tags           p2    tier1    linux-bridge    vep-140    nad-06    r41


*** Test Cases ***
Stopped VM Starts On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod's network-status say. The guest has the same interfaces.
    [Metadata]    Requirements    R41
    VM Should Have Restarted    ${VM}
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Guest Interface Should Be Unchanged    ${VM}    nic=${OTHER_NIC}

Edit Leaves No Condition And No Migration
    [Documentation]    Since before the start: no RestartRequired, no MigrationRequired, no migration.
    [Metadata]    Requirements    R41
    Condition Should Never Have Been Set    ${VM}    RestartRequired    MigrationRequired
    VM Should Have Been Migrated    ${VM}    times=0

VM Reaches Its Peer After The Start
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R41
    Recorded Check Should Pass    new network

VM Is Silent On The Previous Network After The Start
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R41
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Change The Network Of A Stopped VM
    [Documentation]    Stops the VM, makes the edit, starts the VM.
    User Should Be Allowed To    start-and-stop-vms
    Set Up VM And Peers
    Record Guest    ${VM}
    Stop VM    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${BOOT_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    vm_state=stopped
    Start VMs    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${BOOT_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}
    Check New Network And Start Monitoring Old Network
