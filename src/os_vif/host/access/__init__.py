# SPDX-License-Identifier: Apache-2.0
"""The seam: what may be read of a host, the closed list of operations, and who does them."""
