# SPDX-License-Identifier: Apache-2.0
"""An example of a plugin for os-vif that brings a kind of resource of its own."""
