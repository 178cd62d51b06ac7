# SPDX-License-Identifier: Apache-2.0
"""The network driver ``local``: the networks of one machine, embedded, in one SQLite file.

Its networks are made with ``vif network create``, or by os_vif.networks.local.admin.Manager; its ports come and go
with their bindings.
"""
