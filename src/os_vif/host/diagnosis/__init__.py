# SPDX-License-Identifier: Apache-2.0
"""What cuts a guest off although all that was made for it is there. Looks only."""
