*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                VM Owner
Documentation       A VM owner who has the role "edit" in one namespace swaps the network of a VM there.
...
...                 - *Topology:* as in nad-01.
...                 - *Moves:* NIC "secondary"; a service account that has only this role makes the edit.
...                 - *Verified:* the swap completes although the owner has no permission on migrations.
...                 - *Reference:* row R34.
Metadata            Scenario    nad-13

Resource            ../../resources/network_change.resource

Suite Setup         Swap The Network As VM Owner
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    nad-13    r34


*** Variables ***
${OWNER}    vm-owner


*** Test Cases ***
Swap By The VM Owner Completes
    [Documentation]    By one migration that the cluster created; nothing else differs.
    [Metadata]    Requirements    R34
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    VM Should Have Been Migrated    ${VM}
    Nothing Else Should Have Changed    ${VM}

VM Of The Owner Reaches The New Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R34
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Swap The Network As VM Owner
    [Documentation]    The one edit of this suite, made by the owner. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    User Should Be Allowed To    make-vm-owners
    Set Up VM And Peers
    Create VM Owner    ${OWNER}
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    as_user=${OWNER}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
