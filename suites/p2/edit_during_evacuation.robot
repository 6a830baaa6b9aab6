*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Edit During Evacuation
Documentation       The network of a VM is edited while the VM is being evacuated from its node, as by a drain.
...
...                 - *Topology:* a VM and two peers, as in nad-01.
...                 - *Moves:* NIC "secondary", by one edit. The suite first evicts the VM's launcher pod, and makes
...                   the edit when the migration for the eviction is running; its target pod is on the old network.
...                 - *Verified:* in the end the edit is in effect, without a reboot, and no migration is left
...                   unfinished. The number of migrations is not judged; the log shows it.
...                 - *Known bug:* an edit during a running migration can leave the migration object in phase Running
...                   for ever; the failure message says so.
...                 - *Reference:* row R50.
Metadata            Scenario    nad-28

Resource            ../../resources/network_change.resource

Suite Setup         Edit During The Evacuation
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-28    r50


*** Variables ***
${SHORT_WINDOW}    2 s


*** Test Cases ***
Edit Is In Effect After The Evacuation
    [Documentation]    By the VMI's spec and the launcher pod; MigrationRequired is gone and every migration has ended.
    [Metadata]    Requirements    R50
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

Evacuation Completes Despite The Edit
    [Documentation]    The VM left its node after the eviction; nothing is left of the eviction.
    [Metadata]    Requirements    R50
    VM Should Have Been Evacuated    ${VM}    within=${SWAP_TIMEOUT}

VM Is Not Rebooted By Eviction And Edit
    [Documentation]    Same VMI, same boot id as before the eviction; nothing else differs.
    [Metadata]    Requirements    R50
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Nothing Else Should Have Changed    ${VM}

Evacuated VM Reaches Its New Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R50
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Evacuated VM Is Silent On Its Old Network
    [Documentation]    For SHORT_WINDOW, while it reaches its new peer.
    [Metadata]    Requirements    R50
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SHORT_WINDOW}


*** Keywords ***
Edit During The Evacuation
    [Documentation]    Evicts the VM, and makes the edit as soon as its migration is running. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    eviction
    Set Up VM And Peers    eviction_strategy=LiveMigrate
    Record Guest    ${VM}
    Evict VM    ${VM}
    Wait For VM Event    ${VM}    evacuation running    within=${SWAP_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    vm_state=migrating
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
