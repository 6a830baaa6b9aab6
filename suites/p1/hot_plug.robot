*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Hot Plug
Documentation       NICs are hot-plugged into running VMs and hot-unplugged from them, before a swap and after one.
...
...                 - *Topology:* two VMs, and the two peers of scenario nad-01. The first VM is not swapped, the second
...                   one is swapped first. Each has a spare NIC that is hot-unplugged, and gets a NIC by hot-plug.
...                 - *Moves:* at the end, the hot-plugged NIC of the first VM is swapped.
...                 - *Verified:* API and guest show the hot-plugged NIC and no longer the hot-unplugged one, traffic
...                   crosses the hot-plugged NICs, the other NICs still work, and RestartRequired is never set.
...                 - *Out of scope:* whether the cluster hot-plugs by migration or in place; hot-plug and swap in one
...                   edit.
...                 - *Reference:* rows R4 and R5.
Metadata            Scenario    nad-14
Metadata            External    VEP-140

Resource            ../../resources/nic_hotplug.resource

Suite Setup         Hot Plug And Unplug NICs Of Two VMs
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    hot-plug    vep-140    nad-14    r5


*** Test Cases ***
NIC Is Hot-Plugged Into A Running VM
    [Documentation]    The NIC is in VMI spec and status, in launcher pod and guest, and reaches its peer.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    Recorded Check Should Pass    NIC added in the API
    Recorded Check Should Pass    NIC added in the guest
    Recorded Check Should Pass    NIC reaches its peer

NIC Is Hot-Unplugged From A Running VM
    [Documentation]    The NIC is gone from the guest, from the VMI's status, and from the specs of VM and VMI.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    Recorded Check Should Pass    NIC removed in the API
    Guest NIC Should Be    ${VM}    ${UNPLUGGED_NIC}    absent

VM Is Not Rebooted And Its Other NIC Still Works
    [Documentation]    Same VMI, same boot, RestartRequired never set; the untouched NIC is unchanged and works.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    VM Should Not Have Restarted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${OTHER_NIC}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}

Hot-Plugged NIC Is Swapped
    [Documentation]    A hot-plugged NIC is moved to another network like any other NIC.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${VM}    nic=${PLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Recorded Check Should Pass    NIC reaches its new peer

NIC Is Hot-Plugged Into A Swapped VM
    [Documentation]    As into a VM that was never swapped.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${SWAPPED_VM}    nic=${PLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Guest NIC Should Be    ${SWAPPED_VM}    ${PLUGGED_NIC}    present
    Guests Should Reach Each Other    ${SWAPPED_VM}    ${NEW_PEER}    nic=${PLUGGED_NIC}    within=${REACH_TIMEOUT}

NIC Is Hot-Unplugged From A Swapped VM
    [Documentation]    As from a VM that was never swapped.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${SWAPPED_VM}    nic=${UNPLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Guest NIC Should Be    ${SWAPPED_VM}    ${UNPLUGGED_NIC}    absent

Swapped VM Is Not Restarted And Stays On Its New Network
    [Documentation]    Hot-plug and hot-unplug of other NICs do not move the swapped NIC back; the swap before them
    ...    changed nothing else.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    Recorded Check Should Pass    swap alone
    VM Should Not Have Restarted    ${SWAPPED_VM}
    Guest Should Not Have Rebooted    ${SWAPPED_VM}
    Condition Should Never Have Been Set    ${SWAPPED_VM}    RestartRequired
    VM Should Be On Network    ${SWAPPED_VM}    nic=${NIC}    network=${NEW_NETWORK}
    Guests Should Reach Each Other    ${SWAPPED_VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Hot-Plugged NIC Is Silent On Its Previous Network
    [Documentation]    Silence for a whole window after its swap, while the NIC reaches its new peer.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${PLUGGED_NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}
