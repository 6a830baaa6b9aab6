"""KubeVirt's admission webhooks: the defaults they add and what they refuse, in their words."""
