*** Settings ***
Name                Cluster Is Fit
Documentation       Checks in seconds whether the cluster is fit for these tests. Nothing is created.
...
...                 - *Topology:* none.
...                 - *Moves:* nothing.
...                 - *Verified:* what every suite needs is there, and so are the capabilities that the user expects.
...                   The table in the suite setup and this suite's metadata list all other capabilities, each missing
...                   one with its remedy; a missing one skips suites and fails no test here.
...                 - *Out of scope:* bridges and VLANs between the nodes; guests check them before each edit.
...                 - *Reference:* rows R12, R22 and R31. Run alone, by `./run.sh suites/preflight`, each check has a
...                   verdict of its own; before other suites an unfit cluster is refused as a whole.
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

User Has The Permissions That Every Suite Needs
    [Documentation]    The API server is asked for each permission.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Be Fit    rights

Expected Capabilities Are Available
    [Documentation]    The capabilities that variable EXPECTED_CAPABILITIES lists.
    [Metadata]    Requirements    R22
    [Tags]    r22
    Cluster Should Offer
