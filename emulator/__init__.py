# SPDX-License-Identifier: Apache-2.0
"""The embedded cluster: the API, control plane, nodes and guests of a KubeVirt cluster on one Linux machine.

Processes and command line:

- ``cli``: ``python -m emulator``.
- ``cluster_process``: the processes of a cluster and their supervisor.

The API server's process:

- ``apiserver``: the Kubernetes API over HTTPS, with its store in memory.
- ``controlplane``: KubeVirt's controllers, webhooks and subresources, and the scheduler.
- ``platforms``: the add-ons of each platform, which are in ``openshift``, ``ovn``, ``nmstate`` and ``storage``.

The node agent's process:

- ``nodeagent``: kubelet, Multus, virt-handler and NMState's handler; it uses only the Kubernetes API.
- ``dataplane``: nodes, networks, pods and guests in Linux namespaces.
- ``guest``: what runs inside a guest.

Used by tests alone:

- ``qemu``: guests that are QEMU processes, with kernels of their own.

Used by both:

- ``kube``: client, informer, work queue, event recorder, conditions.
- ``fault_points`` and ``defects``: faults that can be injected.
- ``pace``: the real control plane's delays, divided.
"""
