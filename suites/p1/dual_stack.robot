*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Dual Stack
Documentation       The network of a running VM with IPv4 and IPv6 addresses on its NIC is changed; both families move.
...
...                 - *Topology:* as in nad-01, with an IPv6 subnet beside each IPv4 subnet.
...                 - *Moves:* NIC "secondary", from the old VLAN to the new one. Only `networkName` is changed.
...                 - *Verified:* by IPv4 and by IPv6, the new network is reachable and the old one is silent; the guest
...                   keeps the addresses of both families. The length of the connectivity gap is measured and shown.
...                 - *Out of scope:* addresses by router advertisement or DHCPv6; they belong to the network.
...                 - *Reference:* rows R29 and R45.
Metadata            Scenario    nad-10

Resource            ../../resources/network_change.resource

Suite Setup         Swap The Network Of A Dual Stack VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    ipv6    vep-140    nad-10


*** Variables ***
@{FAMILIES}    ipv4    ipv6


*** Test Cases ***
Guest Keeps The Addresses Of Both Families
    [Documentation]    As read inside the guest, and in the API's view of the NIC; nothing else differs.
    [Metadata]    Requirements    R6, R29
    [Tags]    r6    r29
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    VMI Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its New Network By IPv4
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R29
    [Tags]    r29
    Recorded Check Should Pass    new network by ipv4

VM Reaches Its New Network By IPv6
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R29
    [Tags]    r29
    Recorded Check Should Pass    new network by ipv6

VM Is Silent On Its Old Network By IPv4
    [Documentation]    With the same positive controls as in nad-01.
    [Metadata]    Requirements    R29
    [Tags]    r29
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}    family=ipv4

VM Is Silent On Its Old Network By IPv6
    [Documentation]    With the same positive controls as in nad-01, all of them by IPv6.
    [Metadata]    Requirements    R29
    [Tags]    r29
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}    family=ipv6

Connectivity Gap Is Measured
    [Documentation]    Information: from the last answer on the old network to the first one on the new network, both
    ...    ways and by both families. Judged only where GAP_THRESHOLD is set.
    [Metadata]    Requirements    R45
    [Tags]    r45
    Outage Should Be Below    ${VM}    ${GAP_THRESHOLD}


*** Keywords ***
Swap The Network Of A Dual Stack VM
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    ipv6
    Open Test Namespace
    Create Network    ${OLD_NETWORK}    on=bridge
    Create Network    ${NEW_NETWORK}    on=bridge
    Define Dual Stack Guests
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Networks Should Be Isolated By Both Families
    Start Outage Monitoring
    ...    ${VM}
    ...    nic=${NIC}
    ...    old_peer=${OLD_PEER}
    ...    new_peer=${NEW_PEER}
    ...    families=${FAMILIES}
    Move VM To New Network
    Stop Outage Monitoring    ${VM}    within=${REACH_TIMEOUT}
    Check New Network And Start Monitoring Old Network By    ipv4
    Check New Network And Start Monitoring Old Network By    ipv6

Define Dual Stack Guests
    [Documentation]    Each IPv4 subnet has an IPv6 subnet of the same number, with the same host part.
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24, ${IPV6_PREFIX}:0::10/64
    Define VM    ${OLD_PEER}
    Add NIC    ${OLD_PEER}    main    network=${OLD_NETWORK}
    ...    addresses=${IPV4_PREFIX}.0.11/24, ${IPV6_PREFIX}:0::11/64, ${IPV4_PREFIX}.1.11/24, ${IPV6_PREFIX}:1::11/64
    Add NIC
    ...    ${OLD_PEER}
    ...    witness
    ...    network=${NEW_NETWORK}
    ...    addresses=${IPV4_PREFIX}.2.11/24, ${IPV6_PREFIX}:2::11/64
    Define VM    ${NEW_PEER}
    Add NIC    ${NEW_PEER}    main    network=${NEW_NETWORK}
    ...    addresses=${IPV4_PREFIX}.0.12/24, ${IPV6_PREFIX}:0::12/64, ${IPV4_PREFIX}.2.12/24, ${IPV6_PREFIX}:2::12/64
    Add NIC
    ...    ${NEW_PEER}
    ...    witness
    ...    network=${OLD_NETWORK}
    ...    addresses=${IPV4_PREFIX}.1.12/24, ${IPV6_PREFIX}:1::12/64

Networks Should Be Isolated By Both Families
    [Documentation]    Before the edit the old network is reachable, the new one is silent. A failure is a LAB ERROR.
    Start Monitoring New Network By    ipv4
    Start Monitoring New Network By    ipv6
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${ISOLATION_WINDOW}    family=ipv4    blame=lab
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${ISOLATION_WINDOW}    family=ipv6    blame=lab

Start Monitoring New Network By
    [Documentation]    Starts silence monitoring of the new network once the old one is reached.
    [Arguments]    ${family}
    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}
    ...    family=${family}    blame=lab
    Start Silence Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${ISOLATION_WINDOW}    family=${family}

Check New Network And Start Monitoring Old Network By
    [Documentation]    Starts silence monitoring of the previous network as soon as the new one works.
    [Arguments]    ${family}
    Record Check    new network by ${family}    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}
    ...    within=${REACH_TIMEOUT}    family=${family}
    Start Silence Monitoring    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}    family=${family}
