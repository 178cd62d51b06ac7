# SPDX-License-Identifier: Apache-2.0
"""The parts of a host that can be read, brought to a state, and taken back: one backend for each."""
