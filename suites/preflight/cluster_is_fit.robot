*** Settings ***
Documentation       Is the cluster fit for these tests? Found out in seconds, and nothing is created.
...
...                 *Topology:* none.
...                 *What moves:* nothing.
...                 *What is verified:* what every suite needs is there, and what the user expects of this cluster. All
...                 that the other suites go by is in the table of the suite setup and in this suite's metadata, each
...                 lack with its remedy: what is missing there skips suites, and is no failure here.
...                 *Out of scope:* bridges and VLANs between the nodes; guests prove them before each edit.
...                 *Reference:* rows R12, R22 and R31. Alone, by `./run.sh suites/preflight`, each check has a verdict
...                 of its own; before other suites an unfit cluster is refused as a whole.
Metadata            Scenario    nad-25

Library             KubeVirtLibrary
Variables           ../../variables/defaults.yaml

Suite Setup         Get Cluster Facts

Test Tags           p1    tier1    vep-140    nad-25


*** Test Cases ***
KubeVirt And Multus Are Installed
    [Documentation]    KubeVirt is deployed, and NADs are served.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    kubevirt    multus

Two Nodes Can Take Over Each Other's VMs
    [Documentation]    Ready, schedulable, not cordoned, with CPUs that fit. A cluster with one node is refused.
    [Metadata]    Requirements    R12, R31
    [Tags]    r12    r31
    Cluster Should Be Fit    nodes

User Has The Rights That Every Suite Needs
    [Documentation]    Asked of the API server right by right.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    rights

Capabilities That The User Expects Are There
    [Documentation]    Those of variable EXPECTED_CAPABILITIES.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Offer
