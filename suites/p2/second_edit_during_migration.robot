*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Second Edit During Migration
Documentation       The network of a VM is edited again during the migration for the first edit: the last edit wins.
...
...                 - *Topology:* a VM on a first network, with a peer there. The edits lead to the two networks of
...                   nad-01, with a peer each: first to "old", then to "new".
...                 - *Moves:* NIC "secondary", by two edits. The second edit is made when the migration for the first
...                   one is running.
...                 - *Verified:* the VM ends on the last network alone, and no migration is left unfinished. The number
...                   of migrations is not judged; the log shows it.
...                 - *Known bug:* an edit during a running migration can leave the migration object in phase Running
...                   for ever; the failure message says so.
...                 - *Reference:* row R40.
Metadata            Scenario    nad-22

Resource            ../../resources/network_change.resource

Suite Setup         Edit Twice, The Second Time During The Migration
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-22    r40


*** Variables ***
${FIRST_PEER}      first-peer
${SHORT_WINDOW}    2 s


*** Test Cases ***
Last Edit Is In Effect
    [Documentation]    By the VMI's spec and the launcher pod; MigrationRequired is gone and every migration has ended.
    [Metadata]    Requirements    R40
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM Is Not Rebooted By Two Edits
    [Documentation]    Same VMI, same boot id as before the first edit; nothing else differs.
    [Metadata]    Requirements    R40
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The Last Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R40
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

VM Is Silent On The Network Of The First Edit
    [Documentation]    For SHORT_WINDOW, while it reaches its peer on the last network.
    [Metadata]    Requirements    R40
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SHORT_WINDOW}


*** Keywords ***
Edit Twice, The Second Time During The Migration
    [Documentation]    From the first network to the intermediate one, and then to the last one. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Three VLANs
    Define Guests On Three Networks
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Guests Should Reach Each Other    ${VM}    ${FIRST_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}    blame=lab
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${OLD_NETWORK}
    Wait For VM Event    ${VM}    migration running    within=${SWAP_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    vm_state=migrating
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}

Define Guests On Three Networks
    [Documentation]    The VM starts on the "other" network of the three.
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OTHER_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Define VM    ${FIRST_PEER}
    Add NIC    ${FIRST_PEER}    main    network=${OTHER_NETWORK}    addresses=${IPV4_PREFIX}.0.14/24
    Define Peers
