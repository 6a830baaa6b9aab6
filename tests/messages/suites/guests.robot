*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Verdicts on what guests see and say. See ``swap.robot`` for how to read the documentation of a test.

Library             KubeVirtLibrary
Library             GuestLibrary
Library             ../scripted.py


*** Test Cases ***
Good Swap
    [Documentation]    PASS
    Guests    as after a good swap
    Guests Should Reach Each Other    vm    new-peer    nic=secondary    within=1s
    Guests Should Be Silent To Each Other    vm    old-peer    nic=secondary    control=new-peer    duration=5s

Peer Is Not Reached
    [Documentation]    FAIL
    ...    VM demo/vm on node-2: NIC "secondary" (10.10.0.10) and new-peer (10.10.0.12) should reach each other by ICMP,
    ...    TCP, UDP, full-size UDP, full-size ICMP, transfer, stream, broadcast, multicast and neighbour within 1.0 s;
    ...    not reached: ICMP vm → new-peer (10.10.0.12): 0 of * answered (and 19 more combinations of protocol and
    ...    direction) TCP vm → new-peer (10.10.0.12): 0 of * answered UDP vm → new-peer (10.10.0.12): 0 of * answered *
    ...    neighbour new-peer → vm (10.10.0.10): 0 of * answered
    Guests    as if nothing had moved
    Guests Should Reach Each Other    vm    new-peer    nic=secondary    within=1s

Old Network Still Answers
    [Documentation]    FAIL
    ...    VM demo/vm on node-2: NIC "secondary" (10.10.0.10) and old-peer (10.10.0.11) should be silent to each other
    ...    for 5.0 s; answers came: ICMP vm → old-peer (10.10.0.11): 25 of 25 answered, first at * s, last at * s
    ...    (and 11 more combinations of protocol and direction); in the same window new-peer was reached through NIC "*" as well*
    Guests    on both networks
    Guests Should Be Silent To Each Other    vm    old-peer    nic=secondary    control=new-peer    duration=5s

Silence Of A VM That Reaches Nothing
    [Documentation]    FAIL
    ...    VM demo/vm on node-2: NIC "secondary" (10.10.0.10): silence proves nothing: it should reach new-peer
    ...    throughout 5.0 s, and that it is silent to old-peer only shows that the NIC carries little or nothing; *
    Guests    the vm is cut off
    Guests Should Be Silent To Each Other    vm    old-peer    nic=secondary    control=new-peer    duration=5s

Silence Of A Dead Peer
    [Documentation]    FAIL
    ...    LAB ERROR: VM demo/vm on node-2: NIC "secondary" (10.10.0.10) was silent to old-peer for 5.0 s, which proves
    ...    nothing: the probed NIC of old-peer does not answer its witness new-peer either; *
    Guests    the old peer is dead
    Guests Should Be Silent To Each Other    vm    old-peer    nic=secondary    control=new-peer    duration=5s

Guest Gives No Shell
    [Documentation]    FAIL
    ...    LAB ERROR: whether NIC "secondary" of vm and new-peer reach each other cannot be judged:
    ...    guest demo/new-peer over SSH: no session
    Guests    as after a good swap    unreachable=new-peer
    Guests Should Reach Each Other    vm    new-peer    nic=secondary    within=1s

Before The Act The Lab Is To Blame
    [Documentation]    FAIL
    ...    LAB ERROR: before the change: VM demo/vm on node-2: NIC "secondary" (10.10.0.10) and new-peer (10.10.0.12)
    ...    should reach each other *
    Guests    as if nothing had moved
    Guests Should Reach Each Other    vm    new-peer    nic=secondary    within=1s    blame=lab

Guest Rebooted
    [Documentation]    FAIL
    ...    VM demo/vm: its guest should have run on since it was recorded; boot id was b00f (up 1 min 40 s),
    ...    is b011 (up 2.0 s) * later: it rebooted about 2.0 s ago
    Guests    as after a good swap
    Guest Was
    Guest Is    boot=b011    uptime=2
    Guest Should Not Have Rebooted    vm

MTU In The Guest Changed
    [Documentation]    FAIL
    ...    VM demo/vm: guest interface net1 (NIC "secondary") should be as it was * ago; MTU was 1500, is 1400
    Guests    as after a good swap
    Guest Was
    Guest Is    mtu=1400
    Guest Interface Should Be Unchanged    vm    nic=secondary

Address In The Guest Is Gone
    [Documentation]    FAIL
    ...    VM demo/vm: guest interface net1 (NIC "secondary") should be as it was * ago;
    ...    address "10.10.0.10/24" is gone; address "10.10.0.99/24" is new
    Guests    as after a good swap
    Guest Was
    Guest Is    address=10.10.0.99/24
    Guest Interface Should Be Unchanged    vm    nic=secondary

Guest Was Not Recorded
    [Documentation]    FAIL
    ...    TEST ERROR: guest vm was not recorded; call `Record Guest` before the change
    Guests    as after a good swap
    Guest Interface Should Be Unchanged    vm    nic=secondary

Guest Was Not Recorded And Its Agent Has Not Answered
    [Documentation]    FAIL
    ...    LAB ERROR: VM demo/vm: its guest agent has not answered yet, so nothing is known of its boot
    Guests    as after a good swap
    Guest Should Not Have Rebooted    vm
