# SPDX-License-Identifier: Apache-2.0
"""The networks of the tests: VLANs, bridges, NICs, and how they come to the nodes."""
