# SPDX-License-Identifier: Apache-2.0
"""What runs inside a guest: its first process, login, SSH server, guest agent and cloud-init."""
