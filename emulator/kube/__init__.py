"""Shared Kubernetes client code, as in client-go: clients, informers, work queue, event recorder, conditions."""
