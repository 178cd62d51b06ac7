# SPDX-License-Identifier: Apache-2.0
"""The options of the driver."""

from __future__ import annotations

from oslo_config import cfg

OPTIONS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "cloud",
        sample_default="$OS_CLOUD",
        help="The cloud of clouds.yaml whose Neutron has the ports. Without it the environment says (OS_CLOUD, OS_*), "
        "as with every client of OpenStack.",
    ),
    cfg.StrOpt("region_name", help="The region, where the cloud has several."),
    cfg.StrOpt(
        "endpoint",
        help="The URL of a Neutron without Keystone (auth_strategy = noauth), without /v2.0; instead of a cloud.",
    ),
    cfg.FloatOpt(
        "timeout",
        default=60.0,
        min=0.1,
        help="How long to wait for Neutron, in seconds: for an answer, for a binding that another caller has begun, "
        "and for a server that fails to come back.",
    ),
)
