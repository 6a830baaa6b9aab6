*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Times commands in one guest, in turns with another version of the project. Judges nothing.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ${CURDIR}/RoundTrips.py    ${MINE}    ${THEIRS}
Variables           ../../../variables/defaults.yaml

Suite Setup         Start One VM
Suite Teardown      Stop


*** Variables ***
${SERIES}           40
${COUNT}            20


*** Test Cases ***
SSH
    [Documentation]    Round trips of echo on a standing session.
    Time Round Trips    timed-vm    ssh    ${SERIES}    ${COUNT}

Console
    [Documentation]    Round trips of echo on a standing session.
    Time Round Trips    timed-vm    console    ${SERIES}    ${COUNT}


*** Keywords ***
Start One VM
    Open Test Namespace
    Create Network    timed-network    on=bridge
    Define VM    timed-vm
    Add NIC    timed-vm    secondary    network=timed-network    addresses=${IPV4_PREFIX}.0.10/24
    Start VMs
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}

Stop
    Write Series    ${OUTPUT_DIR}/series.json
    Close Test Namespace
    Close Cluster
