*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Two VMs without a third: they reach each other on one network until one of them is moved away.

Library             KubeVirtLibrary
Library             GuestLibrary

Suite Setup         Start Two VMs On One Network
Suite Teardown      Close Test Namespace

Name                Silence Of Two VMs


*** Test Cases ***
VM Is Silent To Its Peer After The Change
    [Documentation]    The pod network shows meanwhile that both live.
    Change VM Network    demo    nic=secondary    network=green
    Wait Until Change Has Settled    demo    within=2 min
    Guests Should Be Silent To Each Other    demo    peer    nic=secondary    duration=5 s


*** Keywords ***
Start Two VMs On One Network
    [Documentation]    They reach each other on it; otherwise the lab is to blame.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Network    blue    on=bridge
    Create Network    green    on=bridge
    Define VM    demo
    Add NIC    demo    secondary    network=blue    addresses=10.10.0.10/24
    Define VM    peer
    Add NIC    peer    main    network=blue    addresses=10.10.0.11/24
    Start VMs
    Wait Until VMs Are Ready    within=5 min
    Co-locate VMs    within=5 min
    Guests Should Reach Each Other    demo    peer    nic=secondary    within=1 min    blame=lab
