*** Settings ***
Documentation       What a VM owner who has the role "edit" in one namespace may not do, whatever KubeVirt's version.
...
...                 *Topology:* a service account with that role, and a NAD; no VM is needed to be refused.
...                 *What moves:* nothing.
...                 *What is verified:* migrations by hand, changes of NADs and other namespaces are closed to him.
Metadata            Scenario    nad-13

Resource            ../../resources/network_change.resource

Suite Setup         Make A VM Owner
Suite Teardown      Close Test Namespace

Test Tags           p1    tier2    linux-bridge    vep-140    nad-13    r34


*** Variables ***
${OWNER}    vm-owner


*** Test Cases ***
VM Owner May Not Make Migrations
    [Documentation]    Asked as a dry run.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    create a migration object    subject=${VM}

VM Owner May Not Change Networks
    [Documentation]    Asked as a dry run.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    change a NAD    subject=${NEW_NETWORK}

VM Owner May Not Look Elsewhere
    [Documentation]    His rights end with his namespace.
    [Metadata]    Requirements    R34
    User Should Be Forbidden To    ${OWNER}    list VMs of another namespace    subject=default


*** Keywords ***
Make A VM Owner
    [Documentation]    The owner and one network.
    User Should Be Allowed To    make-vm-owners
    Open Test Namespace
    Create Network    ${NEW_NETWORK}    on=bridge
    Create VM Owner    ${OWNER}
