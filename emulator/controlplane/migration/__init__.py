# SPDX-License-Identifier: Apache-2.0
"""The migration controller: takes a migration object through its phases."""
