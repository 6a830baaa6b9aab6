# SPDX-License-Identifier: Apache-2.0
"""The processes of an embedded cluster: how they are started, where their files are, and how all of it is removed."""
