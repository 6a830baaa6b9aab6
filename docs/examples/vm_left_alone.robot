*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       While one VM changes its network, nothing happens to another one that is left alone.

Library             KubeVirtLibrary

Suite Setup         Move One Of Two VMs
Suite Teardown      Close Test Namespace

Name                VM Left Alone


*** Test Cases ***
Bystander Is Not Restarted
    [Documentation]    Since it was first seen running.
    VM Should Not Have Restarted    bystander

Bystander Is Not Migrated
    [Documentation]    No migration object, and the same node, until the other VM was moved.
    VM Should Have Been Migrated    bystander    times=0
    VM Should Have Stayed On Its Node    bystander    control=moved    duration=5 s

Bystander Is Asked For Nothing
    [Documentation]    Neither condition, at no moment.
    Condition Should Never Have Been Set    bystander    RestartRequired    MigrationRequired


*** Keywords ***
Move One Of Two VMs
    [Documentation]    Both VMs are on network blue; one is moved to green.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Network    blue    on=bridge
    Create Network    green    on=bridge
    Define VM    moved
    Add NIC    moved    secondary    network=blue
    Define VM    bystander
    Add NIC    bystander    secondary    network=blue
    Start VMs
    Wait Until VMs Are Ready    within=5 min
    Change VM Network    moved    nic=secondary    network=green
    Wait Until Change Has Settled    moved    within=2 min
