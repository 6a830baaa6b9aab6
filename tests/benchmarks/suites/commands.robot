*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Times commands in one guest. Judges nothing.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ${CURDIR}/Commands.py
Variables           ../../../variables/defaults.yaml

Suite Setup         Start One VM
Suite Teardown      Stop


*** Variables ***
${COUNT}            100
${PEERS_COUNT}      20


*** Test Cases ***
SSH
    [Documentation]    A command over the standing session, and a process for each.
    Time Guest Commands    timed-vm    via=ssh    count=${COUNT}
    Time SSH Processes    timed-vm    count=${PEERS_COUNT}

Console
    [Documentation]    A login for each command, and commands on a session that stays.
    Time Console Logins    timed-vm    count=${PEERS_COUNT}
    Time Guest Commands    timed-vm    via=console    count=${COUNT}


*** Keywords ***
Start One VM
    Open Test Namespace
    Create Network    timed-network    on=bridge
    Define VM    timed-vm
    Add NIC    timed-vm    secondary    network=timed-network    addresses=${IPV4_PREFIX}.0.10/24
    Start VMs
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}

Stop
    Write Figures    ${OUTPUT_DIR}/figures.json
    Close Test Namespace
    Close Cluster
