# SPDX-License-Identifier: Apache-2.0
"""All suites on every version and platform of the embedded cluster, compared with what must come out there."""
