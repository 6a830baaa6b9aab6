*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                VM Owner Limits
Documentation       What a VM owner who has the role "edit" in one namespace must not be able to do, on every version of
...                 KubeVirt.
...
...                 - *Topology:* a service account with that role, and a NAD; no VM.
...                 - *Moves:* nothing.
...                 - *Verified:* the owner can neither create migrations, nor change NADs, nor read other namespaces.
...                 - *Reference:* row R34.
Metadata            Scenario    nad-13

Resource            ../../resources/network_change.resource

Suite Setup         Create A VM Owner And A Network
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    nad-13    r34


*** Variables ***
${OWNER}    vm-owner


*** Test Cases ***
VM Owner Cannot Create Migrations
    [Documentation]    The request is sent as a dry run.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    create a migration object    subject=${VM}

VM Owner Cannot Change NADs
    [Documentation]    The request is sent as a dry run.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    change a NAD    subject=${NEW_NETWORK}

VM Owner Cannot List VMs Of Another Namespace
    [Documentation]    The permissions of the owner end with the namespace.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    list VMs of another namespace    subject=default


*** Keywords ***
Create A VM Owner And A Network
    [Documentation]    The owner and one network.
    User Should Be Allowed To    make-vm-owners
    Open Test Namespace
    Create Network    ${NEW_NETWORK}    on=bridge
    Create VM Owner    ${OWNER}
