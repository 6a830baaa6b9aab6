*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Migration After Swap
Documentation       A VM whose network was changed is live-migrated again, like any other VM.
...
...                 - *Topology:* as in scenario nad-01.
...                 - *Moves:* NIC "secondary" by an edit; then the VM, by a migration on request.
...                 - *Verified:* the migration succeeds, the VM stays on its new network, and its other NICs still
...                   work.
...                 - *Reference:* row R10.
Metadata            Scenario    nad-02

Resource            ../../resources/network_change.resource

Suite Setup         Migrate A Swapped VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    regression    vep-140    r10    nad-02


*** Test Cases ***
Swapped VM Is Migrated On Request
    [Documentation]    One migration, the requested one; same VMI, another node, no reboot.
    [Metadata]    Requirements    R10
    VM Should Have Been Migrated    ${VM}    requested_by=user
    Guest Should Not Have Rebooted    ${VM}

Swapped VM Stays On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod say, and by ICMP and TCP both ways.
    [Metadata]    Requirements    R10
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Recorded Check Should Pass    new network

Swapped VM Is Silent On Its Old Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R10
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Swapped VM Keeps Its Interface And Its Other NICs Work
    [Documentation]    Its interface as read inside the guest, the NIC that was never touched, and the pod network;
    ...    nothing else differs.
    [Metadata]    Requirements    R10
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${VM}    ${NEW_PEER}    within=${REACH_TIMEOUT}
    Nothing Else Should Have Changed    ${VM}


*** Keywords ***
Migrate A Swapped VM
    [Documentation]    The swap of scenario nad-01, then a migration on request.
    User Should Be Allowed To    migrate-vms
    Set Up And Move VM To Another VLAN
    Record Guest    ${VM}
    Migrate VM    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}
    Check New Network And Start Monitoring Old Network
