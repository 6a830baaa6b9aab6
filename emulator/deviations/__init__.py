# SPDX-License-Identifier: Apache-2.0
"""One thing that goes wrong once, by a description: a written field, a kind of frame, a property of a guest."""
