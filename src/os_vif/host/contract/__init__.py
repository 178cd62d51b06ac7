# SPDX-License-Identifier: Apache-2.0
"""What the engine and the backends agree on: operations, steps and holdings, and what a backend is."""
