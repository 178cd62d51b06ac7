# SPDX-License-Identifier: Apache-2.0
"""An example of a plugin for os-vif that states what it wants."""
