*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                VM That Cannot Migrate
Documentation       The network of a running VM that cannot be live-migrated is edited: the VM stays on its node.
...
...                 - *Topology:* as in nad-01, but the VM is non-migratable: by default because of a bridge-bound pod
...                   network, which needs no storage; with NON_MIGRATABLE_BY:volume because of a volume. A small
...                   migratable VM is the control.
...                 - *Moves:* the control alone. Both VMs get the same edit, the control last; NIC "secondary" of the
...                   VM stays on the old VLAN.
...                 - *Verified:* same VMI, node and pod; no migration object while the control is migrated; the old
...                   network is reachable, the new one is silent; RestartRequired or MigrationRequired is set and stays
...                   set. Which of the two depends on KubeVirt's version; either is accepted.
...                 - *Out of scope:* the restart that would apply the edit (R44).
...                 - *Reference:* row R15.
Metadata            Scenario    nad-12

Resource            ../../resources/network_change.resource

Suite Setup         Edit The Network Of A VM That Cannot Migrate
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    negative    vep-140    cnv-15947    nad-12    r15


*** Variables ***
${CONTROL}    movable-vm


*** Test Cases ***
Condition Shows That The Edit Is Not In Effect
    [Documentation]    RestartRequired on the VM or MigrationRequired on the VMI stays set; the log shows which.
    [Metadata]    Requirements    R15
    Condition Should Be Set
    ...    ${VM}
    ...    RestartRequired
    ...    MigrationRequired
    ...    control=${CONTROL}
    ...    within=${REACH_TIMEOUT}

VM That Cannot Migrate Stays On Its Node
    [Documentation]    Same VMI, node and launcher pod, which stays on the old network; no migration object.
    [Metadata]    Requirements    R15
    VM Should Have Stayed On Its Node    ${VM}    control=${CONTROL}    duration=${QUIET_WINDOW}

VM That Cannot Migrate Is Not Rebooted
    [Documentation]    Same boot id, an uptime that only grew, the same interface; nothing else differs in the guest.
    [Metadata]    Requirements    R15
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Nothing Else Should Have Changed    ${VM}    where=guest

VM That Cannot Migrate Reaches Its Old Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R15
    Recorded Check Should Pass    old network

VM That Cannot Migrate Is Silent On The New Network
    [Documentation]    For SILENCE_WINDOW, while it reaches its old peer.
    [Metadata]    Requirements    R15
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Edit The Network Of A VM That Cannot Migrate
    [Documentation]    The edit of this suite, made to the VM and then to its control. Judges nothing.
    Cluster Should Offer    automatic-migration
    Open Test Namespace
    Create Three VLANs
    Define Non-Migratable VM And Control
    Define Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Networks Should Be Isolated
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Change VM Network    ${CONTROL}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until Change Has Settled    ${CONTROL}    within=${SWAP_TIMEOUT}
    Start Monitoring Both Networks

Define Non-Migratable VM And Control
    [Documentation]    The control has neither pod network nor addresses: its guest is not used.
    Define VM    ${VM}    non_migratable_by=${NON_MIGRATABLE_BY}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Add NIC    ${VM}    ${OTHER_NIC}    network=${OTHER_NETWORK}    addresses=${IPV4_PREFIX}.3.10/24
    Define VM    ${CONTROL}    pod_network=no
    Add NIC    ${CONTROL}    ${NIC}    network=${OLD_NETWORK}

Start Monitoring Both Networks
    [Documentation]    Records whether the old network is reached, and starts silence monitoring of the new one.
    Record Check    old network    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    Start Silence Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}
