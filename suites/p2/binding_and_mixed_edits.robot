*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Binding And Mixed Edits
Documentation       Edits of a NIC that need a restart: of its binding, and of its network and model together.
...
...                 - *Topology:* two VMs, each with one bridge-bound NIC beside the pod network's. No peers.
...                 - *Moves:* nothing has to move. The binding of the first VM's NIC is edited; `networkName` and model
...                   of the second VM's NIC are changed by one edit.
...                 - *Verified:* both edits set RestartRequired. The binding change is not applied live: no migration,
...                   and the VMI's spec is unchanged. The log shows what happens to the network in the mixed edit.
...                 - *Out of scope:* the restart itself.
...                 - *Reference:* rows R11 and R18.
Metadata            Scenario    nad-20
Metadata            External    VEP-140

Resource            ../../resources/network_change.resource

Suite Setup         Edit What Needs A Restart
Suite Teardown      Close Test Namespace

Test Tags           p2    tier1    linux-bridge    negative    vep-140    nad-20


*** Variables ***
${REBOUND_VM}           rebound-vm
${MIXED_VM}             mixed-edit-vm
${CONDITION_TIMEOUT}    1 min
${LIVE_WINDOW}          5 s    # a live update shows in the VMI's spec and conditions within a second


*** Test Cases ***
Binding Change Sets RestartRequired
    [Documentation]    RestartRequired is set by the edit and stays set.
    [Metadata]    Requirements    R11
    [Tags]    r11
    Condition Should Be Set    ${REBOUND_VM}    RestartRequired    within=${CONDITION_TIMEOUT}

Binding Change Is Not Applied Live
    [Documentation]    Same VMI, spec and node during LIVE_WINDOW; no migration is required or created.
    [Metadata]    Requirements    R11
    [Tags]    r11
    Change Should Not Have Been Applied Live    ${REBOUND_VM}    duration=${LIVE_WINDOW}

Mixed Edit Sets RestartRequired
    [Documentation]    RestartRequired is set although the edit changes `networkName` as well, and stays set.
    [Metadata]    Requirements    R18
    [Tags]    r18
    Condition Should Be Set    ${MIXED_VM}    RestartRequired    within=${CONDITION_TIMEOUT}


*** Keywords ***
Edit What Needs A Restart
    [Documentation]    Both edits. Judges nothing.
    Open Test Namespace
    Create Three VLANs
    Define VM    ${REBOUND_VM}
    Add NIC    ${REBOUND_VM}    ${NIC}    network=${OLD_NETWORK}
    Define VM    ${MIXED_VM}
    Add NIC    ${MIXED_VM}    ${NIC}    network=${OLD_NETWORK}
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Change NIC Settings    ${REBOUND_VM}    nic=${NIC}    binding=sriov
    Change NIC Settings    ${MIXED_VM}    nic=${NIC}    model=e1000e    network=${NEW_NETWORK}
