# SPDX-License-Identifier: Apache-2.0
"""This process: its threads, children, signals and deadlines."""
