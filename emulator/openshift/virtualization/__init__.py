"""OpenShift Virtualization: HyperConverged and the components that it deploys."""
