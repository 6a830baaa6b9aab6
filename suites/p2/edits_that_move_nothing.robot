*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Edits That Move Nothing
Documentation       Edits after which every NIC must be on the network that it had: the cluster must not migrate the VM.
...
...                 - *Topology:* the peers of scenario nad-01, three VMs that are edited, and a control.
...                 - *Moves:* nothing but the control. One VM gets the network that it has; one gets it in its
...                   qualified form; one gets another network and immediately its own again.
...                 - *Verified:* no migration, no condition, the guest is unchanged and reaches its network. This
...                   counts only because the control, edited last, was migrated in the same time.
...                 - *Reference:* rows R39, R42 and R47.
Metadata            Scenario    nad-04

Resource            ../../resources/network_change.resource

Suite Setup         Edit Three VMs Without Moving Them
Suite Teardown      Close Test Namespace

Test Tags           p2    tier1    linux-bridge    negative    vep-140    nad-04


*** Variables ***
${SAME}         same-network
${QUALIFIED}    qualified-name
${REVERTED}     reverted-edit
${CONTROL}      control


*** Test Cases ***
Edit That Changes Nothing Starts No Migration
    [Documentation]    The edit writes the network that the NIC already has. Nothing differs.
    [Metadata]    Requirements    R39
    [Tags]    r39
    VM Should Have Stayed On Its Node    ${SAME}    control=${CONTROL}    duration=${SILENCE_WINDOW}
    Guest Should Be Unchanged    ${SAME}
    Nothing Else Should Have Changed    ${SAME}

Qualified Form Of The Same Network Starts No Migration
    [Documentation]    The edit writes the network that the NIC already has as ``namespace/name``. Nothing else
    ...    differs.
    [Metadata]    Requirements    R47
    [Tags]    r47
    VM Should Have Stayed On Its Node    ${QUALIFIED}    control=${CONTROL}    duration=${SILENCE_WINDOW}
    Guest Should Be Unchanged    ${QUALIFIED}
    Nothing Else Should Have Changed    ${QUALIFIED}

Revert Before The Migration Cancels It
    [Documentation]    The edit to another network is reverted before the guest is copied. Nothing differs in the
    ...    guest.
    [Metadata]    Requirements    R42
    [Tags]    r42
    VM Should Have Stayed On Its Node    ${REVERTED}    control=${CONTROL}    duration=${SILENCE_WINDOW}
    Guest Should Be Unchanged    ${REVERTED}
    Nothing Else Should Have Changed    ${REVERTED}    where=guest

Reverted VM Is Silent On The Other Network
    [Documentation]    Silence for a whole window, while the VM reaches the old peer and the new one its witness.
    [Metadata]    Requirements    R42
    [Tags]    r42
    Guests Should Be Silent To Each Other    ${REVERTED}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Edit Three VMs Without Moving Them
    [Documentation]    Edits the VMs one after the other, the control last, and waits until the control has migrated.
    Cluster Should Offer    live-update    automatic-migration
    ${namespace}    Open Test Namespace
    Create Three VLANs
    Start Four VMs And Their Peers
    Change VM Network    ${REVERTED}    nic=${NIC}    network=${NEW_NETWORK}
    Change VM Network    ${REVERTED}    nic=${NIC}    network=${OLD_NETWORK}    vm_state=any
    Change VM Network    ${SAME}    nic=${NIC}    network=${OLD_NETWORK}
    Change VM Network    ${QUALIFIED}    nic=${NIC}    network=${namespace}/${OLD_NETWORK}
    Change VM Network    ${CONTROL}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until Change Has Settled    ${CONTROL}    within=${SWAP_TIMEOUT}
    Start Silence Monitoring    ${REVERTED}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}

Start Four VMs And Their Peers
    [Documentation]    All VMs are on the old network, which is checked to be reachable.
    Define Peers
    Define VM On The Old Network    ${SAME}    ${IPV4_PREFIX}.0.21/24
    Define VM On The Old Network    ${QUALIFIED}    ${IPV4_PREFIX}.0.22/24
    Define VM On The Old Network    ${REVERTED}    ${IPV4_PREFIX}.0.23/24
    Define VM On The Old Network    ${CONTROL}    ${IPV4_PREFIX}.0.24/24
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Record Guest Before The Edit    ${SAME}
    Record Guest Before The Edit    ${QUALIFIED}
    Record Guest Before The Edit    ${REVERTED}

Define VM On The Old Network
    [Documentation]    A VM with one NIC besides the pod network's.
    [Arguments]    ${vm}    ${address}
    Define VM    ${vm}
    Add NIC    ${vm}    ${NIC}    network=${OLD_NETWORK}    addresses=${address}

Record Guest Before The Edit
    [Documentation]    The old network is reachable, and the guest is recorded. A failure is a LAB ERROR.
    [Arguments]    ${vm}
    Guests Should Reach Each Other    ${vm}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}    blame=lab
    Record Guest    ${vm}

Guest Should Be Unchanged
    [Documentation]    Same boot, same interface, the old network reachable.
    [Arguments]    ${vm}
    Guest Should Not Have Rebooted    ${vm}
    Guest Interface Should Be Unchanged    ${vm}    nic=${NIC}
    Guests Should Reach Each Other    ${vm}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}
