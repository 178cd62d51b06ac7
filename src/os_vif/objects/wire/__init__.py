# SPDX-License-Identifier: Apache-2.0
"""From objects to the wire format and back: dicts of plain values, as oslo.versionedobjects writes them."""
