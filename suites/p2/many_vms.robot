*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Many VMs
Documentation       The networks of many running VMs are changed in parallel; the cluster queues the migrations.
...
...                 - *Topology:* MANY_VMS equal VMs, each with NIC "secondary" on the old network, in one subnet.
...                 - *Moves:* NIC "secondary" of each VM to the new network, by one edit for each VM, without a pause.
...                 - *Verified:* every VM arrives on the new network. Of 20 VMs chosen at random, each
...                   reaches the next one. The time for each VM, the queue of migrations and the cluster's limits are
...                   shown and not judged.
...                 - *Out of scope:* silence of the old network (nad-01); scale as such.
...                 - *Reference:* row R32.
Metadata            Scenario    nad-26

Library             Collections
Resource            ../../resources/network_change.resource

Suite Setup         Change Networks Of Many VMs
Suite Teardown      Close Test Namespace

Test Tags           p2    tier3    linux-bridge    vep-140    nad-26    r32


*** Variables ***
@{VMS}    @{EMPTY}


*** Test Cases ***
Every VM Arrives On Its New Network
    [Documentation]    The five facts of a complete swap, for each VM; the log shows the queue of migrations as a chart.
    [Metadata]    Requirements    R32
    NIC Change Should Have Completed    ${VMS}    nic=${NIC}    within=${SWAP_TIMEOUT}

A Random Sample Of VMs Has Traffic On The New Network
    [Documentation]    Of up to 20 VMs each reaches the next one. All others are judged by the API alone.
    [Metadata]    Requirements    R32
    Each Guest Of A Sample Should Reach The Next    20


*** Keywords ***
Each Guest Of A Sample Should Reach The Next
    [Documentation]    Looks into a number of guests, chosen at random, two neighbours in the sample at a time.
    [Arguments]    ${most}
    ${sample}    Evaluate    random.sample($VMS, min(len($VMS), int($most)))    modules=random
    FOR    ${vm}    ${next}    IN ZIP    ${sample}[:-1]    ${sample}[1:]
        Guests Should Reach Each Other    ${vm}    ${next}    nic=${NIC}    within=${REACH_TIMEOUT}
    END

Change Networks Of Many VMs
    [Documentation]    The edits of this suite. Judges nothing.
    Cluster Should Offer    live-update    automatic-migration
    Open Test Namespace
    Create Network    ${OLD_NETWORK}    on=bridge
    Create Network    ${NEW_NETWORK}    on=bridge
    FOR    ${number}    IN RANGE    ${MANY_VMS}
        Define VM    many-${number + 1}
        VAR    ${host}    ${number // 250}.${number % 250 + 1}
        Add NIC    many-${number + 1}    ${NIC}    network=${OLD_NETWORK}    addresses=${IPV4_PREFIX}.${host}/16
        Append To List    ${VMS}    many-${number + 1}
    END
    Start VMs
    Wait Until VMs Are Ready    within=${BOOT_TIMEOUT}
    Change VM Network    ${VMS}    nic=${NIC}    network=${NEW_NETWORK}
