"""What KubeVirt's control plane and the parts of Kubernetes around it do: one module for each real controller."""
