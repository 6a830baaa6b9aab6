*** Settings ***
Documentation       NICs are plugged into running VMs and out of them, beside the feature and together with it.
...
...                 *Topology:* two VMs, and the two peers of scenario nad-01. One VM was never swapped, the other is
...                 swapped first. Each has a spare NIC that is unplugged, and gets a NIC that it did not have.
...                 *What moves:* the NIC that was plugged into the first VM is swapped in the end.
...                 *What is verified:* the API and the guest show what was plugged and no more what was unplugged,
...                 traffic crosses the plugged NICs, the other NICs still work, and nothing asks for a restart.
...                 *Out of scope:* whether the cluster does it by migration or in place; hot-plug and swap in one edit.
...                 *Reference:* rows R4 and R5.
Metadata            Scenario    nad-14
Metadata            External    VEP-140

Resource            ../../resources/nic_hotplug.resource

Suite Setup         Plug And Unplug NICs Of Two VMs
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    hot-plug    vep-140    nad-14    r5


*** Test Cases ***
NIC Is Plugged Into A Running VM
    [Documentation]    In VMI spec and status, in the launcher pod, in the guest, and in reach of its peer.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    Recorded Check Should Pass    plugged by the API
    Recorded Check Should Pass    plugged in the guest
    Recorded Check Should Pass    plugged NIC reaches its peer

NIC Is Unplugged From A Running VM
    [Documentation]    Gone from the guest, from the status of the VMI, and from the specs of VM and VMI.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    Recorded Check Should Pass    unplugged by the API
    Guest NIC Should Be    ${VM}    ${UNPLUGGED_NIC}    absent

VM Runs On And Its Other NIC Still Works
    [Documentation]    Same VMI, same boot, no RestartRequired ever; the untouched NIC is as it was and in use.
    [Metadata]    Requirements    R4, R5
    [Tags]    regression    r4
    VM Should Not Have Restarted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${OTHER_NIC}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}

Plugged NIC Is Swapped
    [Documentation]    A NIC that was plugged moves to another network like any other.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${VM}    nic=${PLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Recorded Check Should Pass    plugged NIC reaches its new peer

NIC Is Plugged Into A Swapped VM
    [Documentation]    As into a VM that never was.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${SWAPPED_VM}    nic=${PLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Guest NIC Should Be    ${SWAPPED_VM}    ${PLUGGED_NIC}    present
    Guests Should Reach Each Other    ${SWAPPED_VM}    ${NEW_PEER}    nic=${PLUGGED_NIC}    within=${REACH_TIMEOUT}

NIC Is Unplugged From A Swapped VM
    [Documentation]    As from a VM that never was.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    NIC Change Should Have Completed    ${SWAPPED_VM}    nic=${UNPLUGGED_NIC}    within=${SWAP_TIMEOUT}
    Guest NIC Should Be    ${SWAPPED_VM}    ${UNPLUGGED_NIC}    absent

Swapped VM Runs On And Stays On Its New Network
    [Documentation]    Plugging and unplugging beside it does not bring the swapped NIC back.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    VM Should Not Have Restarted    ${SWAPPED_VM}
    Condition Should Never Have Been Set    ${SWAPPED_VM}    RestartRequired
    VM Should Be On Network    ${SWAPPED_VM}    nic=${NIC}    network=${NEW_NETWORK}
    Guests Should Reach Each Other    ${SWAPPED_VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Plugged NIC Is Silent On The Network That It Was Plugged Into
    [Documentation]    Silence for a whole window after its swap, while the NIC reaches its new peer.
    [Metadata]    Requirements    R5
    Cluster Should Offer    live-update
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${PLUGGED_NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}
