# SPDX-License-Identifier: Apache-2.0
"""Shared Kubernetes client code, as in client-go: clients, informers, work queue, event recorder, conditions."""
