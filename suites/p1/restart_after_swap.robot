*** Settings ***
Documentation       A VM whose network was changed while it ran is restarted, and starts on its new network.
...
...                 *Topology:* as in scenario nad-01.
...                 *What moves:* NIC "secondary" by an edit; then the VM is restarted by its owner.
...                 *What is verified:* a real restart (new VMI, new boot), the new network reachable, the old one
...                 silent, and nothing left to be done: no condition, no further migration. But for the last it
...                 holds with live update off as well.
...                 *Reference:* row R44.
Metadata            Scenario    nad-03

Resource            ../../resources/network_swap.resource

Suite Setup         Swap And Restart VM
Suite Teardown      Close Scenario

Test Tags           p1    tier2    linux-bridge    vep-140    nad-03    r44


*** Test Cases ***
VM And Guest Were Restarted
    [Documentation]    Another VMI runs, and the guest has booted anew.
    [Metadata]    Requirements    R44
    VM Should Run As A New VMI    ${VM}
    Guest Should Have Rebooted    ${VM}

Restarted VM Is On Its New Network
    [Documentation]    As the VMI's spec and the launcher pod's network-status say.
    [Metadata]    Requirements    R44
    VM Should Be On Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}

Restarted VM Reaches Its Peer On The New Network
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R44
    Observation Should Hold    new network

Restarted VM Is Silent On The Previous Network
    [Documentation]    Silence for a whole window, while the VM reaches its new peer and the old one its witness.
    [Metadata]    Requirements    R44
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SILENCE_WINDOW}

Restart Leaves Nothing To Be Done
    [Documentation]    Since before the restart: no RestartRequired, no MigrationRequired, no migration. Where live
    ...    update is off the restart is what was asked for: scenario nad-19.
    [Metadata]    Requirements    R44
    Cluster Should Offer    live-update    automatic-migration
    VM Should Have Asked For Nothing    ${VM}


*** Keywords ***
Swap And Restart VM
    [Documentation]    The edit of scenario nad-01 and what the cluster makes of it, then a restart.
    User Should Be Allowed To    restart-vms
    Arrange VM And Its Peers
    Remember Guest    ${VM}
    Change VM Network    ${VM}    nic=${NIC}    network=${NEW_NETWORK}
    Wait Until Edit Is Answered    ${VM}    within=${SWAP_TIMEOUT}
    Restart VM    ${VM}
    Wait Until VM Runs Anew    ${VM}    within=${BOOT_TIMEOUT}
    Bring Guests Together    ${VM}    within=${SWAP_TIMEOUT}
    Watch The Previous Network
