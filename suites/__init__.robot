*** Settings ***
# SPDX-License-Identifier: Apache-2.0
Documentation       Live Update NAD Reference (KubeVirt VEP 140): the network of a running VM is changed, and the
...                 cluster live-migrates the VM to it without a reboot.
Metadata            Project    KubeVirt Live Update NAD Reference tests

Library             KubeVirtLibrary
Variables           ../variables/defaults.yaml

Suite Setup         Connect And Check Cluster
Suite Teardown      Close Cluster


*** Keywords ***
Connect And Check Cluster
    [Documentation]    Checks what is missing before anything is created.
    Cluster Should Be Fit
