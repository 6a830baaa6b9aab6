*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Missing NAD
Documentation       A running VM is moved to a network whose NAD does not exist yet.
...
...                 - *Topology:* as in nad-01. The NAD in the edit is a third one, on the VLAN of the new network. The
...                   suite creates it only after it has checked the VM without it.
...                 - *Moves:* NIC "secondary", by one edit, made before the NAD exists.
...                 - *Verified:* until the NAD exists the VM stays on its old network; then the swap completes by
...                   itself.
...                 - *Out of scope:* how KubeVirt waits: with a target pod that stays Pending, or without one.
...                 - *Reference:* row R20.
Metadata            Scenario    nad-11

Resource            ../../resources/network_change.resource

Suite Setup         Swap To A Network Whose NAD Is Missing
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    negative    vep-140    nad-11    r20


*** Variables ***
${LATE_NETWORK}    late-network


*** Test Cases ***
VM Stays On Its Node While The NAD Is Missing
    [Documentation]    Same VMI and node, its pod on the old network. Recorded before the NAD was created.
    [Metadata]    Requirements    R20
    Recorded Check Should Pass    stays on its node

VM Reaches Its Old Network While The NAD Is Missing
    [Documentation]    ICMP, TCP and UDP, both ways. Recorded before the NAD was created.
    [Metadata]    Requirements    R20
    Recorded Check Should Pass    old network

Swap Completes Once The NAD Exists
    [Documentation]    The five facts, without a second edit.
    [Metadata]    Requirements    R20
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM Is Not Rebooted By The Late Swap
    [Documentation]    Same VMI, same boot id, RestartRequired in no state of the VM; nothing else differs.
    [Metadata]    Requirements    R20
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The Late Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R20
    Recorded Check Should Pass    new network

VM Is Silent On Its Old Network After The Late Swap
    [Documentation]    For SILENCE_WINDOW neither side reaches the other.
    [Metadata]    Requirements    R20
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Swap To A Network Whose NAD Is Missing
    [Documentation]    Makes the edit, records the checks before the NAD exists, then creates it. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Set Up VM And Peers
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${LATE_NETWORK}    nad_exists=no
    Wait For VM Event    ${VM}    migration created    within=${REACH_TIMEOUT}
    Wait For VM Event    ${VM}    warning reported    within=${REACH_TIMEOUT}
    Record Check    old network    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    Record Check    stays on its node    VM Should Have Stayed On Its Node    ${VM}
    Create Network    ${LATE_NETWORK}    on=bridge    vlan_of=${NEW_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Check New Network And Start Monitoring Old Network
