*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       What a VM is, as data, for what no keyword judges; and a VM that is removed before the suite ends.

Library             Collections
Library             KubeVirtLibrary
Library             GuestLibrary

Suite Setup         Start Large VM
Suite Teardown      Close Test Namespace

Name                VM Data


*** Test Cases ***
VM Has Cores And Memory As Defined
    [Documentation]    In the VM's spec, which is returned as a dictionary.
    ${vm}    Get VM    large
    VAR    ${domain}    ${vm}[spec][template][spec][domain]
    Should Be Equal As Integers    ${domain}[cpu][cores]    2
    Should Be Equal    ${domain}[memory][guest]    768Mi

VMI Runs On The Node That The Getter Names
    [Documentation]    The VMI's status and the node by itself.
    ${vmi}    Get VMI    large
    ${node}    Get VM Node    large
    Should Be Equal    ${vmi}[status][nodeName]    ${node}

NIC Is In The Guest What The API Says
    [Documentation]    The interface that the API names carries the address, and has the MAC.
    ${nic}    Get NIC    large    nic=secondary
    List Should Contain Value    ${nic}[addresses]    10.10.0.10
    ${shown}    Run In Guest    large    ip -o link show ${nic}[guest_interface]
    Should Contain    ${shown.stdout}    ${nic}[mac]

Name Of A Deleted VM Can Be Given Again
    [Documentation]    The first VM is removed with its launcher pod; the second one has another UID.
    ${first}    Get VM    short-lived
    Delete VM    short-lived    within=2 min
    Define VM    short-lived
    Start VMs    short-lived
    ${second}    Get VM    short-lived
    Should Not Be Equal    ${first}[metadata][uid]    ${second}[metadata][uid]


*** Keywords ***
Start Large VM
    [Documentation]    One VM larger than the default, and one to be removed.
    Open Test Namespace
    Create Network    blue    on=bridge
    Define VM    large    memory=768Mi    cpu_cores=2
    Add NIC    large    secondary    network=blue    addresses=10.10.0.10/24
    Define VM    short-lived
    Start VMs
    Wait Until VMs Are Ready    within=5 min
