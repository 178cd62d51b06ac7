# SPDX-License-Identifier: Apache-2.0
# Every target does its own set-up, once: a virtual environment, and, as root on Debian, the packages that are missing.
# Variables: PYTHON=python3.13 chooses the interpreter; ARGS="-k tap -x" goes to pytest, or to bench or compat;
# JOBS=1 runs the tests one after the other, which --pdb needs.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

ARGS ?=
# One more than there are processors: a third of the time tests wait for something.
JOBS ?= $(shell echo $$(($$(nproc) + 1)))
PROGRAMS := ip:iproute2 iptables:iptables ping:iputils-ping
# The kernels of most machines lack something that some test needs: these run on one of Debian's, in QEMU.
TEST_PROGRAMS := qemu-system-x86_64:qemu-system-x86 ovsdb-server:openvswitch-switch openssl:openssl \
	/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk:openvswitch-switch-dpdk \
	nft:nftables dnsmasq:dnsmasq-base busybox:busybox-static /lib/systemd/systemd-udevd:udev \
	'/usr/lib/*/dpdk/pmds-*/librte_mempool_ring.so.*:librte-meta-mempool' \
	libvirtd:libvirt-daemon-system virsh:libvirt-clients xmllint:libxml2-utils \
	'/usr/lib/*/libvirt/connection-driver/libvirt_driver_qemu.so:libvirt-daemon-driver-qemu' \
	/usr/include/libvirt/libvirt.h:libvirt-dev pkg-config:pkg-config cc:gcc '/usr/include/python3*/Python.h:python3-dev'

.PHONY: help demo test test-debian test-python fuzz lint compat bench docs wheel deb venv clean programs guest-packages

help:  ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 14

demo: .venv/.runs programs  ## plug two VIFs, break, repair, unplug; then agree, attach and migrate: a minute's tour
	@.venv/bin/vif demo

# .venv-compat has Nova: what it makes of our answers is asked of itself.
ENVIRONMENTS := .venv-upstream/.ready .venv-upstream-430/.ready .venv-neutron/.ready .venv-compat/.ready

test: .venv/.develops $(ENVIRONMENTS) programs guest-packages .venv/.libvirt  ## all tests
	.venv/bin/python -m pytest $(if $(filter-out 1,$(JOBS)),-n $(JOBS) --dist loadgroup --no-loadscope-reorder) $(ARGS)

test-debian: .venv/.runs  ## after `make deb`: the packages with what Debian 13 has of its own, in a root of it; as root
	@tools/debian/make suite

test-python:  ## what depends on Python most, on that of the next Debian, in a root of it; as root
	@RELEASE=forky tools/debian/make language

fuzz: .venv/.develops  ## all readers of what others write, for SECONDS each (60), beginning with SEED (1)
	OS_VIF_FUZZ_SECONDS=$(or $(SECONDS),60) OS_VIF_FUZZ_SEED=$(or $(SEED),1) .venv/bin/python -m pytest --timeout 0 tests/fuzz $(ARGS)

lint: .venv/.develops  ## style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

compat: .venv-compat/.ready  ## tests of Nova, Neutron and Kuryr that use os-vif, with this one and with upstream's
	.venv-compat/bin/python tools/compat/run.py $(ARGS)

bench: .venv/.develops .venv-upstream/.ready .venv-upstream-430/.ready programs guest-packages  ## speed and size, beside upstream os-vif
	.venv/bin/python bench/run.py $(ARGS)

docs: .venv-docs/.ready  ## the documentation as a site and a man page, in docs/_build; a warning is an error
	.venv-docs/bin/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html
	.venv-docs/bin/python -m sphinx --fail-on-warning --keep-going --quiet -b man docs docs/_build/man
	@ls docs/_build/html/index.html docs/_build/man/vif.1

wheel: .venv/.runs  ## dist/os_vif-….whl, to install on other machines; tells its name and SHA-256
	@tools/make-wheel

deb: .venv/.runs  ## Debian packages, in dist/, tried in a Debian 13 of their own; as root
	@tools/debian/make build
	@tools/debian/make try

venv: .venv/.develops  ## .venv with the project (editable), the command and what developing needs

clean:  ## removes everything that the targets above made
	rm -rf .venv .venv-* dist docs/_build docs/reference/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis build src/*.egg-info

programs:
	@tools/debian-packages $(PROGRAMS)

# Downloaded, not installed; and a kernel module built. The tests cannot do it: they have no way out of their namespace.
guest-packages: .venv/.develops
	@tools/debian-packages $(TEST_PROGRAMS)
	@.venv/bin/python tests/support/guest/debian.py
	@cd tests && ../.venv/bin/python -c 'from support.guest.netdevsim import main; main()'

.venv/.runs: pyproject.toml tools/make-venv
	tools/make-venv .venv --editable '.[cli,privsep]'
	@touch $@

.venv/.develops: .venv/.runs
	tools/make-venv .venv --group test --group lint
	@touch $@

# libvirt's Python module is built on the spot. Where that cannot be done, what needs it is skipped, or fails in CI.
.venv/.libvirt: pyproject.toml .venv/.develops | guest-packages
	@if pkg-config --exists libvirt && tools/make-venv .venv --editable '.[libvirt]'; then touch $@; \
	else echo "Tests of libvirt are skipped: its Python module cannot be built here (libvirt-dev, pkg-config, gcc)." >&2; fi

.venv-docs/.ready: pyproject.toml tools/make-venv
	tools/make-venv .venv-docs --editable '.[cli]' --group docs
	@touch $@

# What we replace: the oracle of the differential tests, and the last upstream with a Linux bridge plugin of its own.
.venv-upstream/.ready: tools/make-venv
	tools/make-venv .venv-upstream os-vif==5.3.0
	@touch $@

.venv-upstream-430/.ready: tools/make-venv
	tools/make-venv .venv-upstream-430 os-vif==4.3.0
	@touch $@

.venv-compat/.ready: pyproject.toml tools/make-venv tools/compat/make-venvs tools/compat/requirements.txt
	tools/compat/make-venvs
	@touch $@

# A Neutron server, with our mechanism driver installed into it.
.venv-neutron/.ready: pyproject.toml tools/make-venv tools/neutron/make-venv tools/neutron/constraints.txt
	tools/neutron/make-venv
	@touch $@

.PHONY: .venv-upstream .venv-upstream-430 .venv-neutron
.venv-upstream .venv-upstream-430 .venv-neutron: %: %/.ready
