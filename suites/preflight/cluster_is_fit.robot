*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Name                Cluster Is Fit
Documentation       Checks in seconds whether the cluster is fit for these tests. Nothing is created.
...
...                 - *Topology:* none.
...                 - *Moves:* nothing.
...                 - *Verified:* what every suite needs is there, with the networks of the chosen profile, and so are
...                   the capabilities that the user expects. The same checks refuse what they found here, as if one
...                   node, KubeVirt, Multus or rights were missing. The table in the suite setup and this suite's
...                   metadata list all other capabilities, each missing one with its remedy; a missing one skips
...                   suites and fails no test here.
...                 - *Out of scope:* traffic between the nodes; guests check it before each edit.
...                 - *Reference:* rows R12, R22 and R31. Run alone, by `./run.sh --preflight`, each check has a
...                   verdict of its own; before other suites an unfit cluster is refused as a whole.
Metadata            Scenario    nad-25

Library             KubeVirtLibrary
Variables           ../../variables/defaults.yaml

Suite Setup         Get Cluster Facts

Test Tags           p1    tier1    vep-140    nad-25


*** Variables ***
${ONE_NODE}       second-node
${CORDONED}       schedulable-nodes
${NO_KUBEVIRT}    kubevirt


*** Test Cases ***
KubeVirt And Multus Are Installed
    [Documentation]    KubeVirt is deployed, and NADs are served.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    kubevirt    multus

Two Nodes Can Take Over Each Other's VMs
    [Documentation]    Ready, schedulable, not cordoned, with CPUs that fit.
    [Metadata]    Requirements    R12
    [Tags]    r12
    Cluster Should Offer    node-list
    Cluster Should Be Fit    nodes

Networks Of The Chosen Profile Are There
    [Documentation]    The bridge is on two nodes, with an uplink that lets the VLANs pass, or NMState is at work, as
    ...    far as bridge-marker and NMState tell it.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    networks

User Has The Permissions That Every Suite Needs
    [Documentation]    The API server is asked for each permission.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    rights

Cluster With One Node Is Refused
    [Documentation]    What was found here is judged as if this cluster had one of its nodes only.
    [Metadata]    Requirements    R31
    [Tags]    r31    negative
    Cluster Should Offer    node-list
    Cluster Should Be Refused Without    ${ONE_NODE}

Cluster Whose Other Nodes Are Cordoned Is Refused
    [Documentation]    The same as if all nodes but one were cordoned.
    [Metadata]    Requirements    R12
    [Tags]    r12    negative
    Cluster Should Offer    node-list
    Cluster Should Be Refused Without    ${CORDONED}

Each Missing Thing Is Named With Its Remedy
    [Documentation]    The same as if KubeVirt, Multus and all rights were missing at once: none is lost behind another.
    [Metadata]    Requirements    R22
    [Tags]    r22    negative
    Cluster Should Be Refused Without    ${NO_KUBEVIRT}    multus    rights

Expected Capabilities Are Available
    [Documentation]    The capabilities that variable EXPECTED_CAPABILITIES lists.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Offer


*** Keywords ***
Cluster Should Be Refused Without
    [Documentation]    The checks refuse what they found here, as if the cluster lacked this. If they accept it, that
    ...    is a TEST ERROR.
    [Arguments]    @{lacks}
    TRY
        Cluster Should Be Fit    without=${lacks}
    EXCEPT    LAB ERROR: *    type=GLOB    AS    ${refusal}
        Log    ${refusal}
    END
