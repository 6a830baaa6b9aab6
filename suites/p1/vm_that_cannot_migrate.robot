*** Settings ***
Documentation       The network of a running VM that cannot be live-migrated is edited: the VM stays where it is.
...
...                 *Topology:* as in nad-01, but the VM's pod network is bound by a bridge, which no live migration can
...                 move; it needs no storage of a special kind.
...                 *What moves:* nothing. NIC "secondary" is edited and stays on the old VLAN.
...                 *What is verified:* same VMI, node and pod, no migration object for a whole window, the old network
...                 still reached, the new one silent; and a condition says that the edit is not in effect. Which one
...                 depends on KubeVirt's version, and either is accepted.
...                 *Out of scope:* the restart that would apply the edit (R44).
Metadata            Scenario    nad-12

Resource            ../../resources/network_swap.resource

Suite Setup         Edit The Network Of A VM That Cannot Migrate
Suite Teardown      Close Scenario

Test Tags           p1    tier2    linux-bridge    negative    vep-140    cnv-15947    nad-12    r15


*** Variables ***
${QUIET_WINDOW}    12 s    # the cluster makes a migration object within 6 s after an edit


*** Test Cases ***
Cluster Says That The Edit Is Not In Effect
    [Documentation]    RestartRequired on the VM or MigrationRequired on the VMI; the log tells which one.
    [Metadata]    Requirements    R15
    Edit Should Have Been Signalled As Not In Effect    ${VM}    within=${REACH_TIMEOUT}

Guest Of The VM Runs On Unchanged
    [Documentation]    Same boot id, an uptime that only grew, the same interface.
    [Metadata]    Requirements    R15
    Guest Should Not Have Rebooted    ${VM}
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}

VM Still Reaches Its Old Network
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R15
    Guests Should Reach Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

VM Is Silent On The Network That It Was Not Moved To
    [Documentation]    For a whole window, while it reaches its old peer.
    [Metadata]    Requirements    R15
    Guests Should Be Silent To Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    control=${OLD_PEER}
    ...    duration=${SILENCE_WINDOW}

VM That Cannot Migrate Stays In Its Place
    [Documentation]    Same VMI, node and launcher pod, which stays on the old network; no migration object.
    [Metadata]    Requirements    R15
    VM Should Have Stayed In Place    ${VM}    duration=${QUIET_WINDOW}


*** Keywords ***
Edit The Network Of A VM That Cannot Migrate
    [Documentation]    The one edit of this suite. Judges nothing.
    Open Test Namespace
    Create Three VLANs Of One Bridge
    Define VM    ${VM}    pod_binding=bridge
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Add NIC    ${VM}    ${OTHER_NIC}    network=${OTHER_NETWORK}    addresses=${IPV4_PREFIX}.3.10/24
    Define Peers
    Start The Guests
    Prove That The Networks Are Apart
    Remember Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
