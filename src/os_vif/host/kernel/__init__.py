# SPDX-License-Identifier: Apache-2.0
"""How the kernel is talked to. Knows devices, addresses and rules, and nothing of VIFs."""
