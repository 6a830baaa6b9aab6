*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Localnet
Documentation       A running VM is moved between two localnet networks of OVN-Kubernetes by one edit of its spec.
...
...                 - *Topology:* as in nad-01, on networks that share a physical network and differ in their VLAN.
...                 - *Moves:* NIC "secondary", from the old VLAN to the new one. Only `networkName` is changed.
...                 - *Verified:* the cluster live-migrates the VM, its guest keeps the interface and is not rebooted,
...                   the new network is reachable, the old one is silent.
...                 - *Out of scope:* a move between localnet and a Linux bridge, which is a change of CNI type (R17).
...                 - *Reference:* row R26.
Metadata            Scenario    nad-15

Resource            ../../resources/network_change.resource

Suite Setup         Swap The Localnet Network Of A Running VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    localnet    vep-140    cnv-15948    nad-15    r26


*** Test Cases ***
Swap To The Other Localnet Completes By Live Migration
    [Documentation]    The five facts of a complete swap; one migration, made by the cluster.
    [Metadata]    Requirements    R26
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    VM Should Have Been Migrated    ${VM}

VM Is Not Rebooted And Keeps Its Interface On Localnet
    [Documentation]    Same VMI, same boot id, RestartRequired in no state; nothing but the network differs.
    [Metadata]    Requirements    R26
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The New Localnet
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R26
    Recorded Check Should Pass    new network

VM Is Silent On The Previous Localnet
    [Documentation]    For a whole window, while the VM reaches its new peer and the old peer answers its witness.
    [Metadata]    Requirements    R26
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Swap The Localnet Network Of A Running VM
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    localnet
    Open Test Namespace
    Create Network    ${OLD_NETWORK}    on=localnet
    Create Network    ${NEW_NETWORK}    on=localnet
    Create Network    ${OTHER_NETWORK}    on=localnet
    Define VM And Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Networks Should Be Isolated
    Move VM To New Network
    Check New Network And Start Monitoring Old Network
