#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The small guest's first process: network devices up, then one shell command per line of the console, each answered
# with what it writes and, in a line of its own whatever that was, "GUEST ended CODE".
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin
exec </dev/console >/dev/console 2>&1
stty -echo -onlcr

for module in $(cat /modules/order); do
    insmod "/modules/$module.ko" || echo "cannot load $module"
done
# Duplicate address detection pauses at random.
echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad
for device in lo $(cd /sys/class/net && ls -d eth* 2>/dev/null); do
    ip link set "$device" up
done

printf '\nGUEST ended 0\n'
while read -r line; do
    eval "$line"
    printf '\nGUEST ended %s\n' "$?"
done
poweroff -f
