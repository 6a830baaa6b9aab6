*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Asks for verdicts on a VM that was swapped. Judges nothing.

Resource            ../../../resources/network_change.resource
Library             ${CURDIR}/Verdicts.py

Suite Setup         Open And Swap
Suite Teardown      Stop


*** Variables ***
${TIMES}            2
${LINKS}            2


*** Test Cases ***
Verdicts
    [Documentation]    Silent, not silent, reached, not reached.
    Ask For Verdicts    ${VM}    nic=${NIC}    old=${OLD_PEER}    new=${NEW_PEER}    window=${5}    times=${TIMES}
    Bring Link Up    ${VM}    nic=${NIC}    peer=${NEW_PEER}    peer_nic=main    times=${LINKS}


*** Keywords ***
Open And Swap
    Set Up And Move VM To Another VLAN

Stop
    Write Figures    ${OUTPUT_DIR}/figures.json
    Close Test Namespace
    Close Cluster
