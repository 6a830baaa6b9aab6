*** Settings ***
Documentation       Removes what dead runs left.

Library             KubeVirtLibrary
Variables           ../../variables/defaults.yaml


*** Test Cases ***
Remove What Dead Runs Left
    [Documentation]    Whatever there is.
    Delete Orphaned Resources
    [Teardown]    Close Cluster
