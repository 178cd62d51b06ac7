# SPDX-License-Identifier: Apache-2.0
"""From the public API to the engine: what a VIF means to it, plugging, checking, upkeep."""
