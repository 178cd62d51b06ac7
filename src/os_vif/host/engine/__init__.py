# SPDX-License-Identifier: Apache-2.0
"""From requests to a host that is as they state: read, plan, write down, do, read back."""
