# SPDX-License-Identifier: Apache-2.0
"""Each suite fails on the defect that it is there for: a table of what every defect must do, and what checks it."""
