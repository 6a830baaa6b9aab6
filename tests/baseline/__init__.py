# SPDX-License-Identifier: Apache-2.0
"""What every test says on every cluster and behind every defect, kept as a file, and two such files compared."""
