*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                VM Still Starting
Documentation       The network of a VM is edited while the VM is still starting, before it can be live-migrated.
...
...                 - *Topology:* as in nad-01. The VM under test is edited as soon as it has a launcher pod.
...                 - *Moves:* NIC "secondary"; the launcher pod was created for the old network.
...                 - *Verified:* once the VM can migrate, the edit takes effect without a reboot.
...                 - *Out of scope:* how it takes effect. KubeVirt migrates the VM when it can, unless its pod is
...                   already on the new network; the log shows the number of migrations.
...                 - *Reference:* row R48.
Metadata            Scenario    nad-23

Resource            ../../resources/network_change.resource

Suite Setup         Edit A VM That Is Still Starting
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-23    r48


*** Variables ***
${SHORT_WINDOW}    2 s


*** Test Cases ***
Edit Takes Effect Once The VM Can Migrate
    [Documentation]    By the VMI's spec and the launcher pod; MigrationRequired is gone and every migration has ended.
    [Metadata]    Requirements    R48
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

Starting VM Is Not Restarted
    [Documentation]    Same VMI since the edit, and a guest that has run since its agent first answered.
    [Metadata]    Requirements    R48
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}

RestartRequired Is Cleared Once The VM Can Migrate
    [Documentation]    RestartRequired may be set while the VM cannot migrate yet, and must be cleared afterwards.
    [Metadata]    Requirements    R48
    Condition Should Have Been Cleared    ${VM}    RestartRequired

Started VM Reaches Its New Network
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R48
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Started VM Is Silent On The Network It Was Created With
    [Documentation]    For SHORT_WINDOW, while it reaches its new peer.
    [Metadata]    Requirements    R48
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SHORT_WINDOW}


*** Keywords ***
Edit A VM That Is Still Starting
    [Documentation]    The VM cannot be checked before the edit: it has no guest yet. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Three VLANs
    Define Peers
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Start VMs
    Wait For VM Event    ${VM}    launcher pod created    within=${BOOT_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    vm_state=starting
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Co-locate VMs    ${VM}    within=${SWAP_TIMEOUT}
