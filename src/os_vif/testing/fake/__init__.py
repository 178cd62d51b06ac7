# SPDX-License-Identifier: Apache-2.0
"""A host in memory, in parts; users import FakeHost from os_vif.testing."""
