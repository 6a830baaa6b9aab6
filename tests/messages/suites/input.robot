*** Settings ***
Documentation       What is said of wrong values and of missing capabilities. See ``swap.robot`` for how to read the
...                 documentation of a test.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ../scripted.py


*** Test Cases ***
No Cluster Is Open
    [Documentation]    FAIL
    ...    LAB ERROR: no cluster is open; call `Open Cluster` first (suites/__init__.robot does)
    Nothing Is Open
    Define VM    web

Unknown VM
    [Documentation]    FAIL
    ...    LAB ERROR: VM "vm2" is not defined in this run; defined: vm1; see `Define VM`
    Replay
    VM Should Not Have Been Restarted    vm2

NIC That Was Not Moved
    [Documentation]    FAIL
    ...    LAB ERROR: NIC "default" of VM lab-b-basic/vm1 was not moved; the NIC that was moved is "net1"
    Replay
    Network Swap Should Have Completed    vm1    nic=default    within=1s

Unknown NIC
    [Documentation]    FAIL
    ...    LAB ERROR: VM lab-b-basic/vm1 has no NIC "net2"; it has: ['default', 'net1']
    Replay
    Network Swap Should Have Completed    vm1    nic=net2    within=1s

Name That No NAD Can Have
    [Documentation]    FAIL
    ...    LAB ERROR: network "New_Network" is not the name of a NAD; expected lower-case letters, *
    Replay
    Change VM Network    vm1    nic=net1    network=New_Network

NIC On The Pod Network
    [Documentation]    FAIL
    ...    LAB ERROR: NIC "default" of VM lab-b-basic/vm1 is on the pod network, which cannot be changed
    Replay
    Change VM Network    vm1    nic=default    network=nad-c

Peers Without A Common Subnet
    [Documentation]    FAIL
    ...    LAB ERROR: NIC "other" of VM vm (10.13.0.10/24) shares no IPv4 subnet with old-peer; give both an address in
    ...    one subnet with `Add NIC`
    Guests    as after a good swap
    Guests Should Reach Each Other    vm    old-peer    nic=other    within=1s

Missing Capability
    [Documentation]    SKIP
    ...    capability localnet is not there: no bridge mapping on any node
    Replay
    Cluster Lacks    localnet    no bridge mapping on any node
    Cluster Should Offer    localnet

Observation That Nobody Made
    [Documentation]    FAIL
    ...    LAB ERROR: "old network" was not observed in this suite; call `Observe` in its setup
    Replay
    Observation Should Hold    old network
