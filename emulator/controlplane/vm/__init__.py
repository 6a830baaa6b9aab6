# SPDX-License-Identifier: Apache-2.0
"""The VM controller: starts and stops VMIs, copies live updates to them, and maintains the VM's status."""
