# SPDX-License-Identifier: Apache-2.0
"""What the privileged helper does for a caller whom it does not trust, and what it refuses."""
