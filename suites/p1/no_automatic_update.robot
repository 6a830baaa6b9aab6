*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                No Automatic Update
Documentation       The cluster does not migrate by itself: the edit sets MigrationRequired, and a migration on request
...                 completes it.
...
...                 - *Topology:* one VM with one NIC beside the pod network's. The cluster's `workloadUpdateMethods`
...                   are empty, as in KubeVirt's own manifests. Where they are not, the suite empties them while it
...                   runs, if the user allows it.
...                 - *Moves:* NIC "secondary", by an edit; then the VM, by a migration on request.
...                 - *Verified:* MigrationRequired on the VMI, no migration during QUIET_WINDOW, and a complete swap
...                   after the migration on request.
...                 - *Reference:* row R35.
Metadata            Scenario    nad-18

Resource            ../../resources/cluster_settings.resource

Suite Setup         Swap The Network Without Automatic Migration
Suite Teardown      Close Test Namespace

Test Tags           p1    tier1    linux-bridge    disruptive    vep-140    nad-18    r35


*** Test Cases ***
MigrationRequired Is Set By The Edit
    [Documentation]    MigrationRequired on the VMI, which has the new network in its spec; no RestartRequired. Recorded
    ...    before the migration.
    [Metadata]    Requirements    R35
    Recorded Check Should Pass    required action

Cluster Creates No Migration By Itself
    [Documentation]    Same VMI, node and launcher pod on the old network during QUIET_WINDOW. Recorded before
    ...    the migration.
    [Metadata]    Requirements    R35
    Recorded Check Should Pass    stays on its node

Migration On Request Completes The Swap
    [Documentation]    One migration, the requested one; VMI and pod are on the new network, no condition is left,
    ...    nothing else differs.
    [Metadata]    Requirements    R35
    VM Should Have Been Migrated    ${VM}    requested_by=user
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Condition Should Have Been Cleared    ${VM}    RestartRequired    MigrationRequired    within=${REACH_TIMEOUT}
    Nothing Else Should Have Changed    ${VM}


*** Keywords ***
Swap The Network Without Automatic Migration
    [Documentation]    The one edit of this suite, and the migration that completes it. Judges nothing.
    Cluster Should Offer    live-update
    Cluster Setting Should Be Changeable    workloadUpdateMethods    value=none
    User Should Be Allowed To    migrate-vms
    Open Test Namespace    exclusive=yes
    Change Cluster Setting    workloadUpdateMethods    value=none
    Start One VM On Old Network
    Record Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Record Check    required action    Condition Should Be Set    ${VM}    MigrationRequired    within=${REACH_TIMEOUT}
    Record Check    stays on its node    VM Should Have Stayed On Its Node    ${VM}    duration=${QUIET_WINDOW}
    Migrate VM    ${VM}
    Wait Until Change Has Settled    ${VM}    within=${SWAP_TIMEOUT}
