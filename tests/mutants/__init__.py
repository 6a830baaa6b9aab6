# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of what judges: a module of `modules.yaml` is changed in one place, and its tests must notice."""
