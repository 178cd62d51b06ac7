# SPDX-License-Identifier: Apache-2.0
"""Plugins and drivers, by their entry points."""
