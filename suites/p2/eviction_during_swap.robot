*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Eviction During Swap
Documentation       A VM is evicted, as by a drain of its node, while it is being migrated to its new network.
...
...                 - *Topology:* a VM and two peers, as in nad-01.
...                 - *Moves:* NIC "secondary", by one edit. When the migration for the edit is running, the suite
...                   evicts the launcher pod that the VM is leaving.
...                 - *Verified:* the eviction is served by that migration, there is no second one, and the swap
...                   completes without a reboot.
...                 - *Out of scope:* the drain of a node: no node is cordoned, and no other VM is evicted.
...                 - *Reference:* row R49.
Metadata            Scenario    nad-27

Resource            ../../resources/network_change.resource

Suite Setup         Evict During The Migration For An Edit
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-27    r49


*** Variables ***
${SHORT_WINDOW}    2 s


*** Test Cases ***
Swap Completes Despite The Eviction
    [Documentation]    The five facts of a completed change.
    [Metadata]    Requirements    R49
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

Migration For The Edit Serves The Eviction
    [Documentation]    The VM leaves its node by that migration alone; nothing is left of the eviction.
    [Metadata]    Requirements    R49
    VM Should Have Been Evacuated    ${VM}    within=${SWAP_TIMEOUT}    migrations=1

VM Is Not Rebooted By Edit And Eviction
    [Documentation]    Same VMI, same boot id as before the edit.
    [Metadata]    Requirements    R49
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Nothing Else Should Have Changed    ${VM}

Evicted VM Reaches Its New Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R49
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Evicted VM Is Silent On Its Old Network
    [Documentation]    For SHORT_WINDOW, while it reaches its new peer.
    [Metadata]    Requirements    R49
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SHORT_WINDOW}


*** Keywords ***
Evict During The Migration For An Edit
    [Documentation]    Makes the edit, and evicts the VM as soon as its migration is running. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    eviction
    Set Up VM And Peers    eviction_strategy=LiveMigrate
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait For VM Event    ${VM}    migration running    within=${SWAP_TIMEOUT}
    Evict VM    ${VM}    vm_state=migrating
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
