# SPDX-License-Identifier: Apache-2.0
"""What a browser shows of a run's files, and that no file of a run tells a secret."""
