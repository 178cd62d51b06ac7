# SPDX-License-Identifier: Apache-2.0
"""The network side: drivers that know networks, give out ports, and take them back. They know no hypervisor."""
