*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                NAD Of Another Namespace
Documentation       A running VM is moved to a NAD of another namespace, written ``namespace/name``.
...
...                 - *Topology:* as in scenario nad-01. The other namespace has a NAD for the new VLAN with the name of
...                   the NAD that the VM is on. A cluster that ignores the namespace keeps the VM on the old network.
...                 - *Moves:* NIC "secondary". Only the namespace is written before the name.
...                 - *Verified:* the cluster live-migrates the VM, the new network is reachable, the old one is silent.
...                 - *Reference:* row R37.
Metadata            Scenario    nad-07

Resource            ../../resources/network_change.resource

Suite Setup         Swap To A NAD Of Another Namespace
Suite Teardown      Close Test Namespace

Test Tags           p2    tier1    linux-bridge    vep-140    nad-07    r37


*** Test Cases ***
Swap To Another Namespace Completes By Live Migration
    [Documentation]    The five facts of a complete swap; the launcher pod's network-status names the other namespace.
    [Metadata]    Requirements    R37
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    VM Should Have Been Migrated    ${VM}

VM Is Not Rebooted By The Swap To Another Namespace
    [Documentation]    Same VMI, same boot, RestartRequired never set, nothing but the network differs.
    [Metadata]    Requirements    R37
    VM Should Not Have Restarted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Nothing Else Should Have Changed    ${VM}

VM Reaches Its Peer On The Network Of Another Namespace
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R37
    Recorded Check Should Pass    new network

VM Is Silent On The Network Of Its Own Namespace
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R37
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Swap To A NAD Of Another Namespace
    [Documentation]    Creates a NAD with the old name and the new VLAN in a second namespace; makes the edit.
    Cluster Should Offer    live-update    automatic-migration    foreign-nad
    Set Up VM And Peers
    ${elsewhere}    Create Additional Namespace
    Create Network    ${OLD_NETWORK}    on=bridge    vlan_of=${NEW_NETWORK}    namespace=${elsewhere}
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${elsewhere}/${OLD_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Check New Network And Start Monitoring Old Network
