# SPDX-License-Identifier: Apache-2.0
"""Every way in: how the API server is found, who we are to it, by which proxy, for how long; for requests, watches and
the websockets of console and port-forward alike.
"""
