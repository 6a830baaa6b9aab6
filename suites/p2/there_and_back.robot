*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                There And Back
Documentation       A running VM is moved to another network and back again.
...
...                 - *Topology:* as in scenario nad-01.
...                 - *Moves:* NIC "secondary", from the old network to the new one and, once that is complete, back.
...                 - *Verified:* the cluster creates one migration for each edit, both swaps leave the guest unchanged,
...                   and the VM ends on its first network.
...                 - *Reference:* row R38.
Metadata            Scenario    nad-05

Resource            ../../resources/network_change.resource

Suite Setup         Swap A Running VM There And Back
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-05    r38


*** Test Cases ***
Swap Back Completes By Live Migration
    [Documentation]    The five facts of a complete swap, for the second edit.
    [Metadata]    Requirements    R38
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

Cluster Creates One Migration For Each Edit
    [Documentation]    Two migrations since before the first edit, both created by the cluster, both succeeded.
    [Metadata]    Requirements    R38
    VM Should Have Been Migrated    ${VM}    times=2
    VM Should Have Been Migrated    ${VM}

Guest Is Unchanged By Both Swaps
    [Documentation]    Same VMI, same boot, same interface as before the first edit, nothing else differs.
    [Metadata]    Requirements    R38
    VM Should Not Have Restarted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The First Network Again
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R38
    Recorded Check Should Pass    first network

VM Is Silent On The Intermediate Network
    [Documentation]    Silence for a whole window, while the VM reaches the first peer and the other one its witness.
    [Metadata]    Requirements    R38
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Swap A Running VM There And Back
    [Documentation]    The swap of scenario nad-01, a check that it arrived, and a second edit back.
    Set Up And Move VM To Another VLAN
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${OLD_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Record Check    first network    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    Start Silence Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}
