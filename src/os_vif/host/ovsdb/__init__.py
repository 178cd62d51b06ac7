# SPDX-License-Identifier: Apache-2.0
"""How OVSDB is talked to (RFC 7047). Knows rows, and nothing of VIFs."""
