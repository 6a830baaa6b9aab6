*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Linux Bridge VLAN Change
Documentation       A running VM is moved from one VLAN of a Linux bridge to another by one edit of its spec.
...
...                 - *Topology:* the VM under test has NIC "default" on the pod network, NIC "secondary" on the old
...                   VLAN, and NIC "other" on a third VLAN. The old peer is on the old VLAN, the new peer on the new
...                   one and on the third. Each peer also has a NIC "witness" on the VLAN of the other peer. Through
...                   it the peers check that both are alive.
...                 - *Moves:* NIC "secondary", from the old VLAN to the new one. The suite setup makes this edit, once.
...                   Only `networkName` is changed.
...                 - *Verified:* the cluster live-migrates the VM, nothing else changes, the VM reaches the new peer,
...                   and it does not reach the old peer any more. Each test judges one of these claims.
...                 - *Out of scope:* the web console, a change of CNI type (R17), upgrades (R33).
...                 - *Reference:* VEP 140.
Metadata            Scenario    nad-01

Resource            ../../resources/network_change.resource

Suite Setup         Swap The VLAN And Start Monitoring
Suite Teardown      Close Test Namespace

Test Tags           p0    tier2    linux-bridge    vep-140    virtstrat-560    cnv-72329    nad-01


*** Test Cases ***
Swap Completes By Live Migration Within Its Deadline
    [Documentation]    Five facts hold at the same time: the migration object succeeded, the VMI's migration state is
    ...    completed, the VM is on the target node, MigrationRequired is gone, and the network-status of the launcher
    ...    pod names the new network.
    [Metadata]    Requirements    R1, R2
    [Tags]    r1    r2
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM And Guest Are Not Rebooted
    [Documentation]    The VMI and the guest's boot id are the same as before, and the guest's uptime has grown.
    [Metadata]    Requirements    R19
    [Tags]    r19    cnv-15945
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}

RestartRequired Is Never Set
    [Documentation]    Judged on every recorded state of the VM since before the edit, not only on the last one.
    [Metadata]    Requirements    R3
    [Tags]    r3    cnv-15945
    Condition Should Never Have Been Set    ${VM}    RestartRequired

Cluster Makes Exactly One Migration For The Edit
    [Documentation]    KubeVirt's workload updater created one migration after the edit, and it succeeded. There is no
    ...    second one and no failed one.
    [Metadata]    Requirements    R2
    [Tags]    r2
    VM Should Have Been Migrated    ${VM}

Guest Keeps Its Interface
    [Documentation]    MAC, name, MTU, addresses and routes, as read inside the guest, are as before the edit, and so
    ...    is what the VMI's status shows of the NIC.
    [Metadata]    Requirements    R6, R16
    [Tags]    r6    r16    cnv-15945
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    VMI Interface Should Be Unchanged    ${VM}    nic=${NIC}

Nothing Else Changes
    [Documentation]    Compares what the API and the guest show of the VM, its VMI and its launcher pod, value by
    ...    value, with what they showed before the edit. Passes if only those values differ that a swap may change. The
    ...    log lists them, and the few kinds of values that are not judged, such as the containers that KubeVirt makes
    ...    of the VM's disks.
    [Metadata]    Requirements    R51
    [Tags]    r51
    Nothing Else Should Have Changed    ${VM}

Other NIC And Pod Network Still Work
    [Documentation]    The NIC that was not touched reaches its peer, and the pod network carries traffic both ways.
    [Metadata]    Requirements    R43
    [Tags]    r43
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${VM}    ${NEW_PEER}    within=${REACH_TIMEOUT}

VM Reaches Its Peer On The New Network
    [Documentation]    Passes if VM and new peer reach each other by all five probes right after the swap, as the
    ...    suite setup recorded, and if they then lose at most LOSS_LIMIT per cent of their pings for as long as the
    ...    old network is monitored (SILENCE_WINDOW). Meanwhile the old peer pings the new peer as a control.
    [Metadata]    Requirements    R1
    [Tags]    r1    cnv-15972
    Recorded Check Should Pass    new network
    Packet Loss Should Be Below    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}

VM Is Silent On The Previous Network
    [Documentation]    For SILENCE_WINDOW, VM and old peer do not reach each other. Two controls show that the silence
    ...    is real. In the same window the VM reaches the new peer through the same NIC, and the new peer reaches the
    ...    old peer through its witness NIC.
    [Metadata]    Requirements    R9
    [Tags]    r9    cnv-15972
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Swap Lasts And Nothing More Happens
    [Documentation]    For SETTLED_WINDOW after the swap nothing changes; at its end the VM reaches the new peer.
    [Metadata]    Requirements    R52
    [Tags]    r52
    Nothing Else Should Have Changed    ${VM}    duration=${SETTLED_WINDOW}
    Guests Should Reach Each Other
    ...    ${VM}
    ...    ${NEW_PEER}
    ...    nic=${NIC}
    ...    within=${REACH_TIMEOUT}
    ...    context=Nothing more happened after the swap, but the VM does not reach its new network now:


*** Keywords ***
Swap The VLAN And Start Monitoring
    [Documentation]    Creates the VMs, makes the edit, and starts to monitor silence and packet loss. The tests judge
    ...    what is monitored.
    Set Up And Move VM To Another VLAN
    Check New Network And Start Monitoring Old Network
    Start Packet Loss Monitoring    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}
