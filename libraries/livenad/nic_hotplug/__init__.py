# SPDX-License-Identifier: Apache-2.0
"""Hot-plug and hot-unplug of NICs."""
