*** Settings ***
Documentation       The network of a stopped VM is changed; it applies at the next start, as any other edit does.
...
...                 *Topology:* as in scenario nad-01.
...                 *What moves:* NIC "secondary", by an edit between a stop and a start.
...                 *What is verified:* the VM starts on the new network, and neither a condition nor a migration is
...                 left over from the edit.
...                 *Reference:* row R41.
Metadata            Scenario    nad-06

Resource            ../../resources/network_swap.resource

Suite Setup         Change The Network Of A Stopped VM
Suite Teardown      Close Scenario

Test Tags           p2    tier1    linux-bridge    vep-140    nad-06    r41


*** Test Cases ***
VM Starts On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod's network-status say.
    [Metadata]    Requirements    R41
    VM Should Run As A New VMI    ${VM}
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}

Edit Leaves No Condition And No Migration
    [Documentation]    Since before the start: no RestartRequired, no MigrationRequired, no migration.
    [Metadata]    Requirements    R41
    VM Should Have Asked For Nothing    ${VM}

VM Reaches Its Peer On The New Network
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R41
    Observation Should Hold    new network

VM Is Silent On The Previous Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R41
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}


*** Keywords ***
Change The Network Of A Stopped VM
    [Documentation]    Stops the VM, makes the edit, starts the VM.
    User Should Be Allowed To    start-and-stop-vms
    Arrange VM And Its Peers
    Stop VM    ${VM}
    Wait Until VM Is Stopped    ${VM}    within=${BOOT_TIMEOUT}
    Change Network Of Stopped VM    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Start VM    ${VM}
    Wait Until VM Runs Anew    ${VM}    within=${BOOT_TIMEOUT}
    Bring Guests Together    ${VM}    within=${SWAP_TIMEOUT}
    Watch The Previous Network
