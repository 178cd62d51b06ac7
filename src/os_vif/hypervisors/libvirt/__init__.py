# SPDX-License-Identifier: Apache-2.0
"""The hypervisor driver for libvirt: VIFs as elements of a domain's XML, and interfaces of running guests.

What an old libvirt cannot say is in ``versions``, how a VIF is told in ``rendering``, what a guest's side of it looks
like in ``frontend``, and what is asked of a libvirt that runs in ``connection`` and ``domain``.
"""
