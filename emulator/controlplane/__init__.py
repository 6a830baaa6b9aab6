"""KubeVirt's control plane and the parts of Kubernetes that it needs: one module for each real controller."""
