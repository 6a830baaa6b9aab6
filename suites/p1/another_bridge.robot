*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Another Bridge
Documentation       A running VM is moved from one Linux bridge to another by one edit of its spec.
...
...                 - *Topology:* as in nad-01, but the new network is on another bridge and has the VLAN id of the old
...                   one. Only the bridge differs.
...                 - *Moves:* NIC "secondary". Only `networkName` is changed.
...                 - *Verified:* the cluster live-migrates the VM to the other bridge, as it does for another VLAN.
...                 - *Out of scope:* a change of CNI type (R17).
...                 - *Reference:* row R36.
Metadata            Scenario    nad-09

Resource            ../../resources/network_change.resource

Suite Setup         Swap The Bridge Of A Running VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    nad-09    r36


*** Test Cases ***
Swap To The Other Bridge Completes By Live Migration
    [Documentation]    The five facts of a complete swap, of which the launcher pod's network-status is one.
    [Metadata]    Requirements    R36
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM Is Not Rebooted By The Swap To The Other Bridge
    [Documentation]    Same VMI, same boot id, RestartRequired in no state of the VM; nothing else differs.
    [Metadata]    Requirements    R19, R36
    [Tags]    r19
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The Other Bridge
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R36
    Recorded Check Should Pass    new network

VM Is Silent On The Previous Bridge
    [Documentation]    Same VLAN, other bridge: the old peer is silent, while its witness reaches it all the time.
    [Metadata]    Requirements    R9, R36
    [Tags]    r9
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Swap The Bridge Of A Running VM
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    second-bridge
    Open Test Namespace
    Create Network    ${OLD_NETWORK}    on=bridge
    Create Network    ${NEW_NETWORK}    on=other bridge    vlan_of=${OLD_NETWORK}
    Create Network    ${OTHER_NETWORK}    on=bridge
    Define VM And Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Networks Should Be Isolated
    Move VM To New Network
    Check New Network And Start Monitoring Old Network
