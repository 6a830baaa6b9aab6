*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Restart After Swap
Documentation       A VM whose network was changed while it ran is restarted and starts on its new network.
...
...                 - *Topology:* as in scenario nad-01.
...                 - *Moves:* NIC "secondary" by an edit; then the VM is restarted on request.
...                 - *Verified:* a real restart (new VMI, new boot), the new network is reachable, the old one is
...                   silent; no condition is left and no further migration is created. All but the last also holds with
...                   live update off.
...                 - *Reference:* row R44.
Metadata            Scenario    nad-03

Resource            ../../resources/network_change.resource

Suite Setup         Swap And Restart VM
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    nad-03    r44


*** Test Cases ***
VM And Guest Were Restarted
    [Documentation]    Another VMI runs, and the guest has booted again, with the same interfaces.
    [Metadata]    Requirements    R44
    VM Should Have Restarted    ${VM}
    Guest Should Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Guest Interface Should Be Unchanged    ${VM}    nic=${OTHER_NIC}

Restarted VM Is On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod's network-status say.
    [Metadata]    Requirements    R44
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}

Restarted VM Reaches Its Peer On The New Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R44
    Recorded Check Should Pass    new network

Restarted VM Is Silent On The Previous Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R44
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

No Action Is Required After The Restart
    [Documentation]    Since before the restart: no RestartRequired, no MigrationRequired, no migration; and the swap
    ...    had changed nothing else. With live update off, RestartRequired is expected before the restart: scenario
    ...    nad-19.
    [Metadata]    Requirements    R44
    Cluster Should Offer    live-update    automatic-migration
    Condition Should Never Have Been Set    ${VM}    RestartRequired    MigrationRequired
    VM Should Have Been Migrated    ${VM}    times=0
    Recorded Check Should Pass    nothing else


*** Keywords ***
Swap And Restart VM
    [Documentation]    The edit of scenario nad-01, its outcome, then a restart.
    User Should Be Allowed To    restart-vms
    Set Up VM And Peers
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Record Check    nothing else    Nothing Else Should Have Changed    ${VM}
    Restart VM    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${BOOT_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}
    Check New Network And Start Monitoring Old Network
