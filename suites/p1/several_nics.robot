*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Several NICs
Documentation       Two NICs of a running VM exchange their networks by one edit of its spec.
...
...                 - *Topology:* the VM has NIC "secondary" on the old network and NIC "other" on the new one, each in
...                   a subnet of its own; both peers are in both subnets. A NIC that did not move, or moved to the
...                   wrong network, reaches the wrong peer.
...                 - *Moves:* "secondary" to the new network and "other" to the old one, in one patch.
...                 - *Verified:* one migration moves both; each reaches its own new network and is silent on its old
...                   one.
...                 - *Out of scope:* a change of one NIC (nad-01).
...                 - *Reference:* row R27.
Metadata            Scenario    nad-08

Resource            ../../resources/network_change.resource

Suite Setup         Exchange The Networks Of Two NICs
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    cnv-15946    nad-08    r27


*** Test Cases ***
Both NICs Complete Their Swap
    [Documentation]    The five facts of a complete swap, for each NIC with its own network-status.
    [Metadata]    Requirements    R27
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    NIC Change Should Have Completed    ${VM}    nic=${OTHER_NIC}    within=${SWAP_TIMEOUT}

One Migration Moves Both NICs
    [Documentation]    The cluster creates one migration; the VM is not restarted, and nothing else differs.
    [Metadata]    Requirements    R2, R19, R27
    [Tags]    r2    r19
    VM Should Have Been Migrated    ${VM}
    VM Should Not Have Restarted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Nothing Else Should Have Changed    ${VM}

First NIC Reaches Its New Network
    [Documentation]    ICMP, TCP and UDP, both ways, through this NIC.
    [Metadata]    Requirements    R27
    Recorded Check Should Pass    first NIC

Second NIC Reaches Its New Network
    [Documentation]    ICMP, TCP and UDP, both ways, through this NIC.
    [Metadata]    Requirements    R27
    Recorded Check Should Pass    second NIC

First NIC Is Silent On Its Old Network
    [Documentation]    Although the other NIC is on that network now.
    [Metadata]    Requirements    R27
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Second NIC Is Silent On Its Old Network
    [Documentation]    Although the other NIC is on that network now.
    [Metadata]    Requirements    R27
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Exchange The Networks Of Two NICs
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Network    ${OLD_NETWORK}    on=bridge
    Create Network    ${NEW_NETWORK}    on=bridge
    Define VM With Two NICs And Its Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Each NIC Should Be On Its Old Network
    Record Guest    ${VM}
    VAR    &{networks}    ${NIC}=${NEW_NETWORK}    ${OTHER_NIC}=${OLD_NETWORK}
    Change VM Network    ${VM}    networks=${networks}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Start Monitoring Both NICs

Start Monitoring Both NICs
    [Documentation]    Starts silence monitoring for each NIC as soon as its new network works. Judges nothing.
    Record Check    first NIC    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    Record Check    second NIC    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${OTHER_NIC}
    ...    within=${REACH_TIMEOUT}
    Start Silence Monitoring    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}
    Start Silence Monitoring    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}

Define VM With Two NICs And Its Peers
    [Documentation]    The first NIC is in subnet 0, the second one in subnet 4.
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Add NIC    ${VM}    ${OTHER_NIC}    network=${NEW_NETWORK}    addresses=${IPV4_PREFIX}.4.10/24
    Define VM    ${OLD_PEER}
    Add NIC
    ...    ${OLD_PEER}
    ...    main
    ...    network=${OLD_NETWORK}
    ...    addresses=${IPV4_PREFIX}.0.11/24, ${IPV4_PREFIX}.4.11/24, ${IPV4_PREFIX}.1.11/24
    Add NIC    ${OLD_PEER}    witness    network=${NEW_NETWORK}    addresses=${IPV4_PREFIX}.2.11/24
    Define VM    ${NEW_PEER}
    Add NIC
    ...    ${NEW_PEER}
    ...    main
    ...    network=${NEW_NETWORK}
    ...    addresses=${IPV4_PREFIX}.0.12/24, ${IPV4_PREFIX}.4.12/24, ${IPV4_PREFIX}.2.12/24
    Add NIC    ${NEW_PEER}    witness    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.1.12/24

Each NIC Should Be On Its Old Network
    [Documentation]    Before the edit each NIC reaches its old network and not its new one. A failure is a LAB ERROR.
    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}    blame=lab
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}    blame=lab
    Start Silence Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${ISOLATION_WINDOW}
    Start Silence Monitoring    ${VM}    ${OLD_PEER}    nic=${OTHER_NIC}    control=${NEW_PEER}
    ...    duration=${ISOLATION_WINDOW}
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${ISOLATION_WINDOW}    blame=lab
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${OTHER_NIC}    control=${NEW_PEER}
    ...    duration=${ISOLATION_WINDOW}    blame=lab
