# SPDX-License-Identifier: Apache-2.0
"""Faults between the libraries and the API server: a proxy that makes them, and the suites behind it."""
