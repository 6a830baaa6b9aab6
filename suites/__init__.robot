*** Settings ***
Documentation       Live Update NAD Reference (KubeVirt VEP 140): the network of a running VM is changed, and the VM is
...                 live-migrated onto it without a reboot.
Metadata            Project    KubeVirt Live Update NAD Reference tests

Library             KubeVirtLibrary
Variables           ../variables/defaults.yaml

Suite Setup         Connect And Check Cluster
Suite Teardown      Close Cluster


*** Keywords ***
Connect And Check Cluster
    [Documentation]    Finds out what is missing before anything is created.
    Cluster Should Be Fit
