*** Settings ***
Documentation       The live migration for an edit fails: the VM stays as it was, and the cluster tries again by itself.
...
...                 *Topology:* as in nad-01.
...                 *What moves:* NIC "secondary", by one edit. The target launcher pod of the first migration is
...                 deleted before a guest runs in it, which makes that migration fail; the next one is left alone.
...                 *What is verified:* until then the VM is where it was, reaches its old network and hears nothing of
...                 the new one; nothing is rolled back and no restart is asked for; the next migration completes the
...                 swap without a second edit.
...                 *Out of scope:* how long the cluster waits before it tries again; the log tells.
Metadata            Scenario    nad-17

Resource            ../../resources/network_change.resource

Suite Setup         Let The First Migration Fail
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    negative    vep-140    nad-17    r21


*** Test Cases ***
VM Keeps Its Place When The Migration Fails
    [Documentation]    Same VMI, node and pod, and MigrationRequired stays, until the next migration copies the guest.
    [Metadata]    Requirements    R21
    VM Should Have Stayed On Its Node    ${VM}

VM Keeps Its Original Network When The Migration Fails
    [Documentation]    Until then it reaches its old peer, both ways, and is silent to the new one.
    [Metadata]    Requirements    R21
    Old Network Should Have Been Kept    ${VM}

Failed Migration Needs No Restart
    [Documentation]    Same VMI, same boot id, RestartRequired in no state of the VM from before the edit until now.
    [Metadata]    Requirements    R21
    VM Should Not Have Restarted    ${VM}
    Guest Should Not Have Rebooted    ${VM}
    Condition Should Never Have Been Set    ${VM}    RestartRequired

Cluster Completes The Swap At Its Next Try
    [Documentation]    By a migration of its own making, without a second edit.
    [Metadata]    Requirements    R21
    VM Should Have Been Migrated    ${VM}
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}

VM Reaches Its New Network At Last
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R21
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Let The First Migration Fail
    [Documentation]    One edit. The guests ask one another all the time, so that nothing need be quicker than the next
    ...    migration. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    User Should Be Allowed To    break-migrations
    Arrange VM With One NIC
    Record Guest    ${VM}
    Start Outage Monitoring    ${VM}    nic=${NIC}    old_peer=${OLD_PEER}    new_peer=${NEW_PEER}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Induce Migration Failure    ${VM}    within=${SWAP_TIMEOUT}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
    Stop Outage Monitoring    ${VM}    within=${REACH_TIMEOUT}

Arrange VM With One NIC
    [Documentation]    That the new network is silent before the act is judged by the watch, with the rest.
    Open Test Namespace
    Create Three VLANs
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Define Peers
    Start All VMs    ${BOOT_TIMEOUT}    ${SWAP_TIMEOUT}
    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}    blame=lab
