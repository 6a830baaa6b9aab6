*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Dynamic Networks Controller
Documentation       A swap on a cluster in which Multus' Dynamic Networks Controller hot-plugs NICs into running pods.
...
...                 - *Topology:* a VM on the old network, a peer on the new one.
...                 - *Moves:* NIC "secondary", from the old network to the new one. Only `networkName` is changed.
...                 - *Verified:* the swap is still done by live migration, and the networks annotation of the source
...                   pod is unchanged. A change of it would make the controller hot-plug the running pod.
...                 - *Out of scope:* hot-plug and swap in one edit, a known limitation of the controller.
...                 - *Reference:* row R13.
Metadata            Scenario    nad-21
Metadata            External    VEP-140

Resource            ../../resources/network_change.resource

Suite Setup         Swap With The Dynamic Networks Controller
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-21    r13


*** Test Cases ***
Swap Completes With The Dynamic Networks Controller
    [Documentation]    The five facts of a complete swap, by one migration that the cluster created; nothing else
    ...    differs.
    [Metadata]    Requirements    R13
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    VM Should Have Been Migrated    ${VM}
    Nothing Else Should Have Changed    ${VM}

Networks Annotation Of The Source Pod Is Unchanged
    [Documentation]    The annotation is the same in every recorded state since before the edit.
    [Metadata]    Requirements    R13
    Source Pod Networks Should Be Unchanged    ${VM}

VM Reaches Its Peer With The Dynamic Networks Controller
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R13
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Swap With The Dynamic Networks Controller
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    dynamic-networks-controller
    Open Test Namespace
    Create Three VLANs
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Define VM    ${NEW_PEER}
    Add NIC    ${NEW_PEER}    main    network=${NEW_NETWORK}    addresses=${IPV4_PREFIX}.0.12/24
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
