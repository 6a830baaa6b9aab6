"""The node agent: what kubelet, Multus and virt-handler do, for every node of the embedded cluster.

It meets the rest of the cluster over the Kubernetes API and over its stream endpoints only, so it can run against any
API server that has the CRDs.
"""
