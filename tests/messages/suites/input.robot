*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       What is said of wrong values and of missing capabilities. See ``swap.robot`` for how to read the
...                 documentation of a test.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ../scripted.py


*** Test Cases ***
No Test Namespace Is Open
    [Documentation]    FAIL
    ...    TEST ERROR: no test namespace is open; call `Open Test Namespace` first
    No Namespace Is Open
    Define VM    web

Second Test Namespace
    [Documentation]    FAIL
    ...    TEST ERROR: namespace lab-b-basic is still open; call `Close Test Namespace` first
    Replay
    Open Test Namespace

Unknown VM
    [Documentation]    FAIL
    ...    TEST ERROR: VM "vm2" is not defined in this suite; defined: vm1; see `Define VM`
    Replay
    VM Should Not Have Restarted    vm2

NIC That Was Not Changed
    [Documentation]    FAIL
    ...    TEST ERROR: NIC "default" of VM vm1 was not changed in this suite; changed were: "net1"
    Replay
    NIC Change Should Have Completed    vm1    nic=default    within=1s

Unknown NIC
    [Documentation]    FAIL
    ...    TEST ERROR: VM lab-b-basic/vm1 has no NIC "net2"; it has: ['default', 'net1']
    Replay
    NIC Change Should Have Completed    vm1    nic=net2    within=1s

Name That No NAD Can Have
    [Documentation]    FAIL
    ...    TEST ERROR: network "New_Network" is not the name of a NAD; expected lower-case letters, *
    Replay
    Change VM Network    vm1    nic=net1    network=New_Network

Network That Does Not Exist
    [Documentation]    FAIL
    ...    TEST ERROR: network "nad-x" does not exist: there is no NAD lab-b-basic/nad-x; networks of this suite: none
    Replay
    Change VM Network    vm1    nic=net1    network=nad-x

Address Without A Prefix
    [Documentation]    FAIL
    ...    TEST ERROR: address "10.10.0.10" of NIC "secondary" has no prefix; expected an address with its prefix,
    ...    such as 10.10.0.10/24 or fd00::10/64
    Replay
    Define VM    web
    Add NIC    web    secondary    network=nad-b    addresses=10.10.0.10

NIC On The Pod Network
    [Documentation]    FAIL
    ...    TEST ERROR: NIC "default" of VM lab-b-basic/vm1 is on the pod network, which cannot be changed
    Replay
    Change VM Network    vm1    nic=default    network=nad-b

Peers Without A Common Subnet
    [Documentation]    FAIL
    ...    TEST ERROR: NIC "other" of VM vm (10.13.0.10/24) shares no IPv4 subnet with old-peer; give both an address in
    ...    one subnet with `Add NIC`
    Guests    as after a good swap
    Guests Should Reach Each Other    vm    old-peer    nic=other    within=1s

Missing Capability
    [Documentation]    SKIP
    ...    capability localnet is not there: no bridge mapping on any node
    Replay
    Cluster Lacks    localnet    no bridge mapping on any node
    Cluster Should Offer    localnet

Check That Was Not Recorded
    [Documentation]    FAIL
    ...    TEST ERROR: check "old network" was not recorded in this suite; recorded are: none
    Replay
    Recorded Check Should Pass    old network
