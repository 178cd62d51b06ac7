# SPDX-License-Identifier: Apache-2.0
"""The command `vif`: for operators, and for scripts."""
