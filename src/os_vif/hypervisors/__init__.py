# SPDX-License-Identifier: Apache-2.0
"""The hypervisor side: drivers that know what their guests can use, and how to tell them. They know no network."""
