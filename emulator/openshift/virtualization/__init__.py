# SPDX-License-Identifier: Apache-2.0
"""OpenShift Virtualization: HyperConverged and the components that it deploys."""
