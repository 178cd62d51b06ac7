# SPDX-License-Identifier: Apache-2.0
"""Ports of a Neutron server, whether or not it knows of negotiation. See docs/neutron-client.md.

``driver`` is the way in. ``active`` and ``second`` bind, ``releasing`` takes back, ``ports`` finds and reads ports,
``record`` is what we write into them; ``answering`` makes an answer of what Neutron has bound, by way of ``vifs`` and
``wired``, and ``guessing`` tells what Neutron would bind; ``provided`` has what both and our mechanism driver go by.
``api`` and ``errors`` are the only ones that speak HTTP.
"""
