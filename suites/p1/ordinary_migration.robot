*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Ordinary Migration
Documentation       A VM whose network was never changed is live-migrated on request, as before the feature.
...
...                 - *Topology:* the two peers of scenario nad-01, each with a NIC on either network.
...                 - *Moves:* one of them, by a migration that an administrator requests. No network is changed.
...                 - *Verified:* the migration succeeds, the VM stays on its networks, and all its NICs still work.
...                   This must hold on every version of KubeVirt, with the feature and without.
...                 - *Reference:* VEP 140, row R4.
Metadata            Scenario    nad-02

Resource            ../../resources/network_change.resource

Suite Setup         Migrate An Untouched VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    regression    vep-140    r4    nad-02


*** Test Cases ***
Untouched VM Is Migrated On Request
    [Documentation]    One migration, the requested one; same VMI, another node, no reboot.
    [Metadata]    Requirements    R4
    VM Should Have Been Migrated    ${OLD_PEER}    requested_by=user
    Guest Should Not Have Rebooted    ${OLD_PEER}

Untouched VM Keeps Its Networks And All NICs Work
    [Documentation]    Both networks as the API shows them, the interfaces in the guest, and traffic on all NICs.
    [Metadata]    Requirements    R4
    VM Should Be On Network    ${OLD_PEER}    nic=main    network=${OLD_NETWORK}
    VM Should Be On Network    ${OLD_PEER}    nic=witness    network=${NEW_NETWORK}
    Guest Interface Should Be Unchanged    ${OLD_PEER}    nic=main
    Guest Interface Should Be Unchanged    ${OLD_PEER}    nic=witness
    Guests Should Reach Each Other    ${OLD_PEER}    ${NEW_PEER}    nic=witness    within=${REACH_TIMEOUT}
    Guests Should Reach Each Other    ${NEW_PEER}    ${OLD_PEER}    nic=witness    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${OLD_PEER}    ${NEW_PEER}    within=${REACH_TIMEOUT}
    Nothing Else Should Have Changed    ${OLD_PEER}


*** Keywords ***
Migrate An Untouched VM
    [Documentation]    A migration on request of a VM that was never edited.
    User Should Be Allowed To    migrate-vms
    Open Test Namespace
    Create Three VLANs
    Define Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Record Guest    ${OLD_PEER}
    Migrate VM    ${OLD_PEER}
    Wait Until Change Has Settled    ${OLD_PEER}    within=${SWAP_TIMEOUT}
    Co-locate VMs    ${OLD_PEER}    within=${SWAP_TIMEOUT}
