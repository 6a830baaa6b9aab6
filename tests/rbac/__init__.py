# SPDX-License-Identifier: Apache-2.0
"""The roles of docs/rbac: made of what the libraries were seen to call, and proven to be enough and not too much."""
