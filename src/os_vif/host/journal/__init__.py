# SPDX-License-Identifier: Apache-2.0
"""What is recorded of a host: the journal, its files, its identity, the marks of ownership, the locks."""
