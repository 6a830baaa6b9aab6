*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       A suite of another project that has installed the libraries.

Library             GuestLibrary
Resource            steps.resource

Suite Setup         Start Two VMs
Suite Teardown      Close Test Namespace


*** Test Cases ***
VM Moves To Another Network
    [Documentation]    By one edit, without a restart.
    Change VM Network    web    nic=data    network=green
    Wait Until VM Has Settled    web
    NIC Change Should Have Completed    web    nic=data    within=5 min
    Guests Should Reach Each Other    web    peer    nic=data    within=1 min
    VM Should Not Have Restarted    web
