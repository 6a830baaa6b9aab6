# SPDX-License-Identifier: Apache-2.0
"""OpenShift and OpenShift Virtualization, as far as users who change networks of VMs need them."""
