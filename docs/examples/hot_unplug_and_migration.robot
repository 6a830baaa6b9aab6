*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       A NIC is unplugged from a running VM and does not come back with a later migration.

Library             GuestLibrary
Resource            KubeVirtLibrary/scenario.resource


*** Test Cases ***
Unplugged NIC Stays Away After A Migration    # robocop: off=LEN04,LEN06
    [Documentation]    In the API and in the guest, and the guest does not reboot.
    Open Test Namespace
    Create Network    blue    on=bridge
    Define VM    demo
    Add NIC    demo    spare    network=blue
    Start All VMs
    Record Guest    demo
    Hot Unplug NIC    demo    nic=spare
    NIC Change Should Have Completed    demo    nic=spare    within=2 min
    Migrate VM    demo
    Wait Until Change Has Settled    demo    within=2 min
    VM Should Have Been Migrated    demo    requested_by=user
    Guest NIC Should Be    demo    spare    absent
    Guest Should Not Have Rebooted    demo
