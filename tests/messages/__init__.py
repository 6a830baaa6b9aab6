# SPDX-License-Identifier: Apache-2.0
"""What each keyword says when it fails: data suites state it, and a child run of Robot must say the same."""
