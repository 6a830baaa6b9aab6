# SPDX-License-Identifier: Apache-2.0
"""KubeVirt's admission webhooks: the defaults they add and what they refuse, in their words."""
