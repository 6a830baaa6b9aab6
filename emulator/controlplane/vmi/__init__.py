"""The VMI controller: launcher pods and the status of VMIs, so far as virt-controller writes it."""
