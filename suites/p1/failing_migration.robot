*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Failing Migration
Documentation       The live migration for an edit fails: the VM stays as it was, and the cluster retries by itself.
...
...                 - *Topology:* as in nad-01.
...                 - *Moves:* NIC "secondary", by one edit. The suite deletes the target launcher pod of the first
...                   migration before a guest runs in it, so that this migration fails. The next migration is not
...                   disturbed.
...                 - *Verified:* until the next migration the VM stays on its node, reaches its old network and is
...                   silent on the new one; RestartRequired is never set; the next migration completes the swap without
...                   a second edit.
...                 - *Out of scope:* how long the cluster waits before it retries; the log shows it.
...                 - *Reference:* row R21.
Metadata            Scenario    nad-17

Resource            ../../resources/network_change.resource

Suite Setup         Swap And Induce Migration Failure
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    negative    vep-140    nad-17    r21


*** Test Cases ***
VM Stays On Its Node When The Migration Fails
    [Documentation]    Same VMI, node and pod until the next migration copies the guest; MigrationRequired stays set.
    [Metadata]    Requirements    R21
    VM Should Have Stayed On Its Node    ${VM}

VM Stays On Its Old Network When The Migration Fails
    [Documentation]    Until the next migration it reaches its old peer, both ways, and is silent to the new one.
    [Metadata]    Requirements    R21
    Old Network Should Have Been Kept    ${VM}

VM Is Not Rebooted By The Failed Migration
    [Documentation]    Same VMI, same boot id, RestartRequired in no state of the VM from before the edit until now;
    ...    nothing else differs in the guest.
    [Metadata]    Requirements    R21
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired
    Nothing Else Should Have Changed    ${VM}    where=guest

Next Migration Completes The Swap
    [Documentation]    The cluster creates it, without a second edit.
    [Metadata]    Requirements    R21
    VM Should Have Been Migrated    ${VM}
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM Reaches Its New Network After The Next Migration
    [Documentation]    ICMP, TCP and UDP, both ways.
    [Metadata]    Requirements    R21
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Swap And Induce Migration Failure
    [Documentation]    Makes the edit. The guests probe each other all the time, so that no check has to be faster than
    ...    the next migration. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    User Should Be Allowed To    break-migrations
    Set Up VM With One NIC And Peers
    Record Guest    ${VM}
    Start Outage Monitoring    ${VM}    nic=${NIC}    old_peer=${OLD_PEER}    new_peer=${NEW_PEER}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Induce Migration Failure    ${VM}    within=${SWAP_TIMEOUT}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Stop Outage Monitoring    ${VM}    within=${REACH_TIMEOUT}

Set Up VM With One NIC And Peers
    [Documentation]    Outage monitoring also judges that the new network is silent before the edit.
    Open Test Namespace
    Create Three VLANs
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Define Peers
    Start All VMs    ready_within=${BOOT_TIMEOUT}    moved_within=${SWAP_TIMEOUT}
    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}    blame=lab
