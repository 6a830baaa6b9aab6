# SPDX-License-Identifier: Apache-2.0
"""What tests of several topics share: a fake API server, recorded histories, guests of paper, lines and streams."""
