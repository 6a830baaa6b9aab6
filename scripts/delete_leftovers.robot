*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Removes what aborted runs left on a cluster; with DRY_RUN it only says what it would remove.

Library             KubeVirtLibrary
Variables           ../variables/defaults.yaml


*** Variables ***
${DRY_RUN}      False


*** Test Cases ***
Delete What Aborted Runs Left
    [Documentation]    Fails when something stays.
    Delete Orphaned Resources    dry_run=${DRY_RUN}    strict=True
    [Teardown]    Close Cluster
