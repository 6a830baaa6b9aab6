# SPDX-License-Identifier: Apache-2.0
"""virt-api: the aggregated API group ``subresources.kubevirt.io``."""
