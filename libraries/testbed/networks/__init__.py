"""The networks of the tests: who may use which VLAN, bridge and NIC, and how they come to the nodes."""
