"""Who reaches whom: probes inside guests, and what their samples prove."""
