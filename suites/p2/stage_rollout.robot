*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Stage Rollout
Documentation       The swap works under KubeVirt's `vmRolloutStrategy` Stage, which delays other live updates.
...
...                 - *Topology:* one VM with one NIC beside the pod network's. Where the strategy is LiveUpdate, the
...                   suite changes it while it runs, if the user allows it.
...                 - *Moves:* NIC "secondary". Only `networkName` is changed.
...                 - *Verified:* the cluster live-migrates the VM as under LiveUpdate; RestartRequired is never set.
...                 - *Out of scope:* LiveUpdate, under which all other scenarios run; traffic (nad-01).
...                 - *Reference:* row R46.
Metadata            Scenario    nad-24

Resource            ../../resources/cluster_settings.resource

Suite Setup         Swap The Network Under Stage
Suite Teardown      Close Test Namespace

Test Tags           p2    tier1    linux-bridge    disruptive    vep-140    nad-24    r46


*** Test Cases ***
Swap Completes Under Stage
    [Documentation]    The five facts of a complete swap.
    [Metadata]    Requirements    R46
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

Cluster Creates One Migration Under Stage
    [Documentation]    The cluster creates it, the VMI stays the same, and nothing else differs.
    [Metadata]    Requirements    R46
    VM Should Have Been Migrated    ${VM}
    VM Should Not Have Restarted    ${VM}
    Nothing Else Should Have Changed    ${VM}

RestartRequired Is Never Set Under Stage
    [Documentation]    Judged on every recorded state of the VM since before the edit.
    [Metadata]    Requirements    R46
    Condition Should Never Have Been Set    ${VM}    RestartRequired


*** Keywords ***
Swap The Network Under Stage
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Cluster Setting Should Be Changeable    vmRolloutStrategy    value=Stage
    Open Test Namespace    exclusive=yes
    Change Cluster Setting    vmRolloutStrategy    value=Stage
    Start One VM On Old Network
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
