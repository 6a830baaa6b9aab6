*** Settings ***
Documentation       A swap on a cluster in which Multus' Dynamic Networks Controller plugs NICs into running pods.
...
...                 *Topology:* a VM on the old network, a peer on the new one.
...                 *What moves:* NIC "secondary", from the old network to the new one, by changing `networkName` only.
...                 *What is verified:* the swap goes by live migration all the same, and the pod that the VM leaves
...                 asks for its networks as before: a change there would have the controller plug the running pod.
...                 *Out of scope:* hot-plug and swap in one edit, which the controller is known not to cope with.
...                 *Reference:* row R13.
Metadata            Scenario    nad-21
Metadata            External    VEP-140

Resource            ../../resources/network_change.resource

Suite Setup         Swap Beside The Dynamic Networks Controller
Suite Teardown      Close Test Namespace

Test Tags           p2    tier2    linux-bridge    vep-140    nad-21    r13


*** Test Cases ***
Swap Goes By Live Migration
    [Documentation]    The five facts of a complete swap, by one migration that the cluster made.
    [Metadata]    Requirements    R13
    NIC Change Should Have Completed    ${VM}    nic=${NIC}    within=${SWAP_TIMEOUT}
    VM Should Have Been Migrated    ${VM}

Source Pod Asks For Its Networks As Before
    [Documentation]    Its annotation is the same in every state since before the edit.
    [Metadata]    Requirements    R13
    Source Pod Networks Should Be Unchanged    ${VM}

VM Reaches Its Peer On The New Network
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R13
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}


*** Keywords ***
Swap Beside The Dynamic Networks Controller
    [Documentation]    The one edit of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration    dynamic-networks-controller
    Open Test Namespace
    Create Three VLANs
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Define VM    ${NEW_PEER}
    Add NIC    ${NEW_PEER}    main    network=${NEW_NETWORK}    addresses=${IPV4_PREFIX}.0.12/24
    Start All VMs    ${BOOT_TIMEOUT}    ${SWAP_TIMEOUT}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until VM Has Settled    ${VM}    within=${SWAP_TIMEOUT}
