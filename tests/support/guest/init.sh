#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The guest's first process. On the kernel's command line: guest.run=FILE, what to run, a path on the machine around it.
/bin/busybox mkdir -p /proc /sys /dev /lower /layer /root
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
exec </dev/console >/dev/console 2>&1

say() { echo "GUEST $*"; }

for module in $(cat /modules/order); do
    insmod "/modules/$module.ko" || say "cannot load $module"
done
ip link set lo up

mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 around /lower &&
    mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work root /root || say "no root"
for directory in proc sys dev; do
    mount --rbind "/$directory" "/root/$directory"
done
mount -t tmpfs run /root/run
mount -t tmpfs tmp /root/dev/shm 2>/dev/null || { mkdir /root/dev/shm && mount -t tmpfs tmp /root/dev/shm; }
mkdir -p /root/dev/pts && mount -t devpts pts /root/dev/pts
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
hostname guest

for word in $(cat /proc/cmdline); do
    case $word in
    guest.run=*)
        env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp chroot /root /bin/sh "${word#*=}"
        say "ended $?"
        ;;
    esac
done
sync
poweroff -f
