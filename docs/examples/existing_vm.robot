*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       A VM that is there already is moved to another network and back. It is not removed.
...
...                 Create it beforehand: ``kubectl apply -f docs/examples/existing-vm.yaml``.

Library             KubeVirtLibrary
Library             GuestLibrary

Suite Setup         Move Existing VM
Suite Teardown      Move Existing VM Back

Name                Existing VM


*** Variables ***
${NAMESPACE}           team-a
${PASSWORD: Secret}    %{EXISTING_VM_PASSWORD=example-only}


*** Test Cases ***
Existing VM Is Moved Without A Restart
    [Documentation]    Once, by the cluster, and the guest runs on.
    NIC Change Should Have Completed    web    nic=secondary    within=2 min
    VM Should Have Been Migrated    web
    VM Should Not Have Restarted    web
    Guest Should Not Have Rebooted    web

Existing VM Reaches A VM Of The Suite
    [Documentation]    On its new network.
    Guests Should Reach Each Other    web    neighbour    nic=secondary    within=1 min

Existing VM Keeps Its Name And Its Labels
    [Documentation]    Nothing but the network of its NIC was changed.
    ${vm}    Get VM    web
    Should Be Equal    ${vm}[metadata][namespace]    ${NAMESPACE}
    Should Be Equal    ${vm}[metadata][labels]    ${{ {"app": "web"} }}


*** Keywords ***
Move Existing VM
    [Documentation]    A VM of the suite is on network green; the existing one is moved to it.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    VAR    &{addresses}    secondary=10.10.7.10/24
    Use Existing VM    web    addresses=${addresses}    user=admin    password=${PASSWORD}
    Define VM    neighbour
    Add NIC    neighbour    main    network=green    addresses=10.10.7.11/24
    Start VMs
    Wait Until VMs Are Ready    within=5 min
    Record Guest    web
    Change VM Network    web    nic=secondary    network=green
    Wait Until Change Has Settled    web    within=2 min
    Co-locate VMs    web    within=5 min

Move Existing VM Back
    [Documentation]    No other party does: what was changed in an existing VM stays changed.
    Change VM Network    web    nic=secondary    network=blue
    Wait Until Change Has Settled    web    within=2 min
    Close Test Namespace
