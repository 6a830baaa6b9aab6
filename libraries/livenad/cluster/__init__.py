# SPDX-License-Identifier: Apache-2.0
"""The cluster: what it is, what it offers, and whether it is fit for the tests."""
