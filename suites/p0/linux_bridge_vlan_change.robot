*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Linux Bridge VLAN Change
Documentation       A running VM is moved from one VLAN of a Linux bridge to another by one edit of its spec.
...
...                 - *Topology:* a VM with a pod network and two bridge NICs; three VLANs: old, new, and a third one
...                   for the NIC that is not touched. Each of two peers has its main NIC on the old or the new VLAN,
...                   and a second NIC, its witness, on the opposite one, which proves that the other peer is alive.
...                 - *Moves:* NIC "secondary", from the old VLAN to the new one. Only `networkName` is changed.
...                 - *Verified:* the cluster live-migrates the VM, nothing in the guest changes, the new network is
...                   reachable, the old one is silent. The suite setup makes the edit once; each test judges one claim.
...                 - *Out of scope:* the web console, a change of CNI type (R17), upgrades (R33).
...                 - *Reference:* VEP 140.
Metadata            Scenario    nad-01

Resource            ../../resources/network_change.resource

Suite Setup         Swap The VLAN And Start Monitoring
Suite Teardown      Close Test Namespace

Test Tags           p0    tier2    linux-bridge    vep-140    virtstrat-560    cnv-72329    nad-01


*** Test Cases ***
Swap Completes By Live Migration Within Its Deadline
    [Documentation]    Five facts together: migration object succeeded, migration state completed, node changed,
    ...    MigrationRequired gone, and the launcher pod's network-status names the new network.
    [Metadata]    Requirements    R1, R2
    [Tags]    r1    r2
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM And Guest Are Not Rebooted
    [Documentation]    Same VMI, same boot id, and the uptime only grew.
    [Metadata]    Requirements    R19
    [Tags]    r19    cnv-15945
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}

RestartRequired Is Never Set
    [Documentation]    Judged on every recorded state of the VM since before the edit, not only on the last one.
    [Metadata]    Requirements    R3
    [Tags]    r3    cnv-15945
    Condition Should Never Have Been Set    ${VM}    RestartRequired

Cluster Makes Exactly One Migration For The Edit
    [Documentation]    Created by the workload updater for this edit, and succeeded; no second one, no failed one.
    [Metadata]    Requirements    R2
    [Tags]    r2
    VM Should Have Been Migrated    ${VM}

Guest Keeps Its Interface
    [Documentation]    MAC, name, MTU, addresses and routes as read inside the guest, and the API's view of the NIC.
    [Metadata]    Requirements    R6, R16
    [Tags]    r6    r16    cnv-15945
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    VMI Interface Should Be Unchanged    ${VM}    nic=${NIC}

Nothing Else Changes
    [Documentation]    Every value that the API and the guest show of the VM, but for the fields that a swap may change.
    [Metadata]    Requirements    R16, R51
    [Tags]    r16    r51
    Nothing Else Should Have Changed    ${VM}

Other NIC And Pod Network Still Work
    [Documentation]    The NIC that was not touched reaches its peer, and the pod network carries traffic both ways.
    [Metadata]    Requirements    R43
    [Tags]    r43
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${VM}    ${NEW_PEER}    within=${REACH_TIMEOUT}

VM Reaches Its Peer On The New Network
    [Documentation]    ICMP and TCP, both ways; packet loss of a steady stream of pings is below the limit.
    [Metadata]    Requirements    R1
    [Tags]    r1    cnv-15972
    Recorded Check Should Pass    new network
    Packet Loss Should Be Below    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}

VM Is Silent On The Previous Network
    [Documentation]    For SILENCE_WINDOW neither side reaches the other. In the same window the VM reaches the new peer
    ...    through the same NIC, and the new peer reaches the old peer through its witness NIC.
    [Metadata]    Requirements    R9
    [Tags]    r9    cnv-15972
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Nothing More Happens After The Swap
    [Documentation]    For SETTLED_WINDOW from the swap's completion nothing more changes; at the end the VM reaches its
    ...    new peer. A failure of the last step alone says that nothing more had happened.
    [Metadata]    Requirements    R52
    [Tags]    r52
    Nothing Else Should Have Changed    ${VM}    duration=${SETTLED_WINDOW}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Swap The VLAN And Start Monitoring
    [Documentation]    Makes the edit, then starts to monitor silence and packet loss. Judges nothing.
    Move VM To Another VLAN
    Start Monitoring Previous Network
    Start Packet Loss Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}
