# SPDX-License-Identifier: Apache-2.0
"""What is installed into a Neutron server, so that it honours what a hypervisor offers. See docs/neutron-server.md.

``mechanism`` is the mechanism driver, the first in ``mechanism_drivers``: it asks the others what they would bind
(``asking``), finds what could be provided in all (``providing``), and binds what the hypervisor would rather have.
``filter`` goes into the paste pipeline: it brings the request's header to the driver, and the driver's reasons to the
client. ``offers`` is where these two meet. Only ``mechanism`` imports Neutron.
"""
