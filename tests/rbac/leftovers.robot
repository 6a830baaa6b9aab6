*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Removes what aborted runs left.

Library             KubeVirtLibrary
Variables           ../../variables/defaults.yaml


*** Test Cases ***
Remove What Aborted Runs Left
    [Documentation]    Whatever there is.
    Delete Orphaned Resources
    [Teardown]    Close Cluster
