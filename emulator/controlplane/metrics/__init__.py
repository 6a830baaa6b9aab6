# SPDX-License-Identifier: Apache-2.0
"""virt-controller's metrics of networks, VMIs and migrations."""
