*** Settings ***
Documentation       The network of a VM is edited while the VM is still starting, before it could be live-migrated.
...
...                 *Topology:* as in nad-01; the VM under test is started last, and edited as soon as it has a launcher
...                 pod.
...                 *What moves:* NIC "secondary", which the launcher pod was made for the old network with.
...                 *What is verified:* once the VM can migrate the edit takes effect without a reboot.
...                 *Out of scope:* by which way it does so. KubeVirt migrates the VM when it can, unless its pod came
...                 up on the new network already; the log tells how many migrations there were.
Metadata            Scenario    nad-23

Resource            ../../resources/network_swap.resource

Suite Setup         Edit A VM That Is Still Starting
Suite Teardown      Close Scenario

Test Tags           p2    tier2    linux-bridge    vep-140    nad-23    r48


*** Variables ***
${SHORT_WINDOW}    2 s


*** Test Cases ***
Edit Takes Effect Once The VM Can Migrate
    [Documentation]    By the VMI's spec and the launcher pod; MigrationRequired is gone and every migration has ended.
    [Metadata]    Requirements    R48
    Last Edit Should Be In Effect    ${VM}    within=${SWAP_TIMEOUT}

Starting VM Is Not Started Twice
    [Documentation]    Same VMI since the edit, and a guest that has run since its agent first answered.
    [Metadata]    Requirements    R48
    Starting VM Should Not Have Been Restarted    ${VM}
    Guest Should Have Booted Once    ${VM}

Restart Is Not Asked For Any More
    [Documentation]    RestartRequired may be set while the VM cannot migrate yet, and does not outlive that.
    [Metadata]    Requirements    R48
    Restart Required Should Not Outlive The Start    ${VM}

Started VM Reaches Its New Network
    [Documentation]    ICMP and TCP, both ways.
    [Metadata]    Requirements    R48
    Guests Should Reach Each Other    ${VM}    ${NEW_PEER}    nic=${NIC}    within=${REACH_TIMEOUT}

Started VM Is Silent On The Network It Was Created With
    [Documentation]    For a window, while it reaches its new peer.
    [Metadata]    Requirements    R48
    Guests Should Be Silent To Each Other    ${VM}    ${OLD_PEER}    nic=${NIC}    control=${NEW_PEER}
    ...    duration=${SHORT_WINDOW}


*** Keywords ***
Edit A VM That Is Still Starting
    [Documentation]    Nothing can be proven of the VM before the edit: it has no guest yet. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Three VLANs Of One Bridge
    Define Peers
    Define VM    ${VM}
    Add NIC    ${VM}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.0.10/24
    Start VMs
    Change Network Of Starting VM    ${VM}    nic=${NIC}    network=${NEW_NETWORK}    within=${BOOT_TIMEOUT}
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}
    Wait Until The Last Edit Is In Effect    ${VM}    within=${SWAP_TIMEOUT}
    Bring Guests Together    ${VM}    within=${SWAP_TIMEOUT}
