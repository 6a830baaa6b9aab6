# SPDX-License-Identifier: Apache-2.0
"""What people use instead: each way as its users have it, in an environment of its own."""
