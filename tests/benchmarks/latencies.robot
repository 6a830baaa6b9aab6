*** Settings ***
Documentation       Times guest commands and waits on one VM. Prints figures, judges nothing.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ${CURDIR}/Latencies.py
Variables           ../../variables/defaults.yaml

Suite Setup         Start One VM
Suite Teardown      Stop


*** Variables ***
${COUNT}      100
${FIGURES}    ${OUTPUT_DIR}/figures.json


*** Test Cases ***
Guest Commands Over SSH
    [Documentation]    A command over the standing session.
    Time Guest Commands    timed-vm    via=ssh    count=${COUNT}

Guest Commands Over The Console
    [Documentation]    A command on the serial line.
    Time Guest Commands    timed-vm    via=console    count=${COUNT}

Waits
    [Documentation]    From just before a write is sent until the keyword that waits for it has it.
    Time Waits    count=${COUNT}


*** Keywords ***
Start One VM
    Open Cluster
    Open Test Namespace
    Create Network    timed-network    on=bridge
    Define VM    timed-vm
    Add NIC    timed-vm    secondary    network=timed-network    addresses=${IPV4_PREFIX}.0.10/24
    Start VMs
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}

Stop
    Write Figures    ${FIGURES}
    Close Guests
    Close Test Namespace
    Close Cluster
