*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Waits for what the benchmark asks for. Judges nothing.

Library             KubeVirtLibrary
Library             ${CURDIR}/Waits.py
Variables           ../../../variables/defaults.yaml

Suite Setup         Open
Suite Teardown      Close


*** Test Cases ***
Waits
    [Documentation]    Each by one keyword.
    Answer Waits    ${NAMESPACE_FILE}    ${QUESTIONS}    ${ANSWERS}


*** Keywords ***
Open
    Open Test Namespace

Close
    Close Test Namespace
    Close Cluster
