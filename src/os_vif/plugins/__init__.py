# SPDX-License-Identifier: Apache-2.0
"""A VIF in, desired state out: what a host should look like for each kind of VIF. No I/O."""
