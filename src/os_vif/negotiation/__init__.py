# SPDX-License-Identifier: Apache-2.0
"""How hypervisor and network agree on a binding.

The hypervisor side makes an :class:`~os_vif.negotiation.offer.Offer`: what it can use, in its order of preference.
The network side knows its :class:`~os_vif.negotiation.provision.Provision`s: what it could provide for the port.
:func:`~os_vif.negotiation.choice.choose` decides, and :func:`~os_vif.negotiation.answer.answer` says so, with the VIF
in a version that the hypervisor reads, or refuses with a reason for every candidate. All of it is pure.

The words for how far a port has come: *bound* (a host and a type are chosen), *plugged* (the devices are there),
*attached* (the guest has it), *active* (traffic may flow).
"""
