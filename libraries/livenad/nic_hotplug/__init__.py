"""Hot-plug and hot-unplug of NICs."""
