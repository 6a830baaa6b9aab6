# SPDX-License-Identifier: Apache-2.0
"""Rights: what the user may do, and VM owners with the rights of one namespace."""
