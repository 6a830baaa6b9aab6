*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Gate Off
Documentation       With live update off, the edit sets RestartRequired, and the VM stays on its network until the
...                 restart.
...
...                 - *Topology:* as in nad-01. KubeVirt is older than 1.8, or its gate LiveUpdateNADRef is off. Where
...                   the gate of KubeVirt 1.8 is on, the suite turns it off while it runs, if the user allows it.
...                 - *Moves:* nothing by the edit; NIC "secondary" by the restart.
...                 - *Verified:* RestartRequired is set and the VMI stays on the old network during QUIET_WINDOW; after
...                   a restart the VM is on the new network, and the condition is cleared.
...                 - *Out of scope:* KubeVirt 1.9 and newer, where the feature cannot be turned off.
...                 - *Reference:* rows R7 and R8.
Metadata            Scenario    nad-19

Resource            ../../resources/cluster_settings.resource

Suite Setup         Edit With Live Update Off And Restart
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    negative    disruptive    vep-140    nad-19


*** Test Cases ***
Edit With The Gate Off Sets RestartRequired
    [Documentation]    RestartRequired on the VM. Recorded before the restart.
    [Metadata]    Requirements    R8
    [Tags]    r8
    Recorded Check Should Pass    required action

Edit With The Gate Off Is Not Applied Live
    [Documentation]    The VMI's spec keeps the old network; MigrationRequired is not set. Recorded before the restart.
    [Metadata]    Requirements    R7
    [Tags]    r7
    Recorded Check Should Pass    not applied live

VM Stays On Its Node And On Its Old Network
    [Documentation]    Same VMI, node and launcher pod during QUIET_WINDOW; ICMP and TCP both ways; nothing differs in
    ...    the guest. Recorded before the restart.
    [Metadata]    Requirements    R7
    [Tags]    r7
    Recorded Check Should Pass    stays on its node
    Recorded Check Should Pass    old network
    Recorded Check Should Pass    guest as before

Restarted VM Is On The Network Of The Edit
    [Documentation]    A new VMI, whose spec and launcher pod name the new network.
    [Metadata]    Requirements    R8
    [Tags]    r8
    VM Should Have Restarted    ${VM}
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}

Restarted VM Reaches Its Peer On The Network Of The Edit
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R8
    [Tags]    r8
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Restarted VM Is Silent On Its Old Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R8
    [Tags]    r8
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Restart Clears RestartRequired
    [Documentation]    RestartRequired is cleared, and MigrationRequired is not set.
    [Metadata]    Requirements    R8
    [Tags]    r8
    Condition Should Have Been Cleared    ${VM}    RestartRequired    MigrationRequired    within=${REACH_TIMEOUT}


*** Keywords ***
Edit With Live Update Off And Restart
    [Documentation]    Makes the edit, records what must hold before the restart, and restarts. Judges nothing.
    Cluster Should Offer    gate-off
    Cluster Setting Should Be Changeable    LiveUpdateNADRef    value=off
    User Should Be Allowed To    restart-vms
    Open Test Namespace    exclusive=yes
    Change Cluster Setting    LiveUpdateNADRef    value=off
    Set Up VM And Peers In Open Namespace
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Record Checks Before The Restart
    Restart VM    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${BOOT_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}

Record Checks Before The Restart
    [Documentation]    Waits for QUIET_WINDOW, in which the cluster would have created a migration.
    Record Check    required action    Condition Should Be Set    ${VM}    RestartRequired    within=${REACH_TIMEOUT}
    Record Check    old network    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    Record Check    stays on its node    VM Should Have Stayed On Its Node    ${VM}    duration=${QUIET_WINDOW}
    Record Check    not applied live    Change Should Not Have Been Applied Live    ${VM}
    Record Check    guest as before    Nothing Else Should Have Changed    ${VM}    where=guest
