# SPDX-License-Identifier: Apache-2.0
"""The data plane: nodes, networks, pods and guests in Linux namespaces."""
