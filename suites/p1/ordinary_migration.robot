*** Settings ***
Documentation       Live migrations that have nothing to do with the feature go on as before: of a VM whose network was
...                 never changed, and of one whose network was.
...
...                 *Topology:* as in scenario nad-01. The peer of the old network is the VM that was never changed.
...                 *What moves:* both VMs, by a migration that an administrator asks for; no network.
...                 *What is verified:* each migration succeeds, each VM keeps its network, the other traffic of both
...                 goes on.
...                 *Reference:* VEP 140, rows R4 and R10.
Metadata            Scenario    nad-02

Resource            ../../resources/network_swap.resource

Suite Setup         Migrate A Swapped And An Untouched VM
Suite Teardown      Close Scenario

Test Tags           p1    tier2    linux-bridge    regression    vep-140    nad-02


*** Test Cases ***
Swapped VM Is Migrated On Request
    [Documentation]    One migration, the one that was asked for; same VMI, another node, no reboot.
    [Metadata]    Requirements    R10
    [Tags]    r10
    VM Should Have Been Migrated By Hand    ${VM}
    Guest Should Not Have Rebooted    ${VM}

Swapped VM Stays On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod say, and by ICMP and TCP both ways.
    [Metadata]    Requirements    R10
    [Tags]    r10
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Swapped VM Does Not Come Back To Its Old Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R10
    [Tags]    r10
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Swapped VM Keeps Its Interface And Its Other Traffic
    [Documentation]    Its interface as read inside the guest, the NIC that was never touched, and the pod network.
    [Metadata]    Requirements    R10
    [Tags]    r10
    Guest Interface Should Be Unchanged    ${VM}    nic=${NIC}
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${OTHER_NIC}    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${VM}    ${NEW_PEER}    within=${REACH_TIMEOUT}

Untouched VM Is Migrated On Request
    [Documentation]    One migration, the one that was asked for; same VMI, another node, no reboot.
    [Metadata]    Requirements    R4
    [Tags]    r4
    VM Should Have Been Migrated By Hand    ${OLD_PEER}
    Guest Should Not Have Rebooted    ${OLD_PEER}

Untouched VM Keeps Its Networks And Its Traffic
    [Documentation]    Both networks as the API shows them, the interfaces in the guest, and traffic on all three NICs.
    [Metadata]    Requirements    R4
    [Tags]    r4
    VM Should Be On Network    ${OLD_PEER}    nic=main    network=${OLD_NETWORK}
    VM Should Be On Network    ${OLD_PEER}    nic=witness    network=${NEW_NETWORK}
    Guest Interface Should Be Unchanged    ${OLD_PEER}    nic=main
    Guest Interface Should Be Unchanged    ${OLD_PEER}    nic=witness
    Guests Should Reach Each Other    ${OLD_PEER}    ${NEW_PEER}    nic=witness    within=${REACH_TIMEOUT}
    Guests Should Reach Each Other    ${NEW_PEER}    ${OLD_PEER}    nic=witness    within=${REACH_TIMEOUT}
    Pod Network Should Work    ${OLD_PEER}    ${NEW_PEER}    within=${REACH_TIMEOUT}


*** Keywords ***
Migrate A Swapped And An Untouched VM
    [Documentation]    Swaps one VM, then asks for a migration of it and of a VM that was never swapped.
    Swap The VLAN Of A Running VM
    Remember Guest    ${VM}
    Remember Guest    ${OLD_PEER}
    Migrate VM    ${VM}
    Migrate VM    ${OLD_PEER}
    Wait Until VM Is Migrated    ${VM}    within=${SWAP_TIMEOUT}
    Wait Until VM Is Migrated    ${OLD_PEER}    within=${SWAP_TIMEOUT}
