*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       A VM of your own manifest: kept as it is, set up for these keywords where it does not set up itself.

Library             KubeVirtLibrary
Library             GuestLibrary

Suite Setup         Start Web Server And Client
Suite Teardown      Close Test Namespace

Name                VM From Manifest


*** Test Cases ***
Manifest Is Kept
    [Documentation]    Labels, annotations and sizes of the file, beside what was added.
    ${vm}    Get VM    web
    Should Be Equal    ${vm}[metadata][labels][app]    web
    Should Be Equal    ${vm}[spec][template][metadata][annotations][example.com/owner]    team-a
    Should Be Equal    ${vm}[spec][template][spec][domain][memory][guest]    512Mi

Web Server Changes Its Network
    [Documentation]    A VM from a manifest is changed and judged like any other.
    Guests Should Reach Each Other    web    client    nic=secondary    within=1 min    blame=lab
    Change VM Network    web    nic=secondary    network=green
    Wait Until Change Has Settled    web    within=2 min
    NIC Change Should Have Completed    web    nic=secondary    within=2 min
    VM Should Not Have Restarted    web


*** Keywords ***
Start Web Server And Client
    [Documentation]    The manifest names network blue, which this suite makes.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Network    blue    on=bridge
    Create Network    green    on=bridge
    VAR    &{addresses}    secondary=10.10.0.10/24
    Define VM From Manifest    web    ${CURDIR}/web-server.yaml    addresses=${addresses}
    Define VM    client
    Add NIC    client    main    network=blue    addresses=10.10.0.11/24
    Start VMs
    Wait Until VMs Are Ready    within=5 min
    Co-locate VMs    within=5 min
