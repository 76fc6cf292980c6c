#!/bin/sh
# A machine that nobody else sees and that is gone with its first process: namespaces of its own, this machine's root under a layer of
# memory, the package installed, and systemd as process 1. Runs a script beside it and says what that says.
#   unshare --mount --pid --fork --cgroup --uts --ipc --net sh machine.sh FOLDER PACKAGE SCRIPT FILE...   (the files go to /srv)
set -eu
command -v ip >/dev/null || exit 77
folder=$1 package=$2 script=$3
shift 3
mount --make-rprivate /
mount -t tmpfs machine "$folder" || exit 77
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" machine "$folder/root" || exit 77
cd "$folder/root"
cp "$package" srv/minewatch.deb
cp "$@" srv/
printf '%s\n' "$script" >srv/script
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup sys/fs/cgroup || exit 77
mount --rbind /dev dev
mount -t tmpfs run run
mount -t tmpfs tmp tmp
ip link set lo up
ip link add mirror0 type veth peer name switch0 || exit 77
ip address add 192.0.2.2/24 dev mirror0
ip link set mirror0 up
ip link set switch0 up
chroot . dpkg -i /srv/minewatch.deb >/dev/null
# Of the units of this machine none: systemd starts what the script asks for.
rm -rf etc/systemd/system/*.wants
printf '[Unit]\nDefaultDependencies=no\n' >etc/systemd/system/nothing.target
mkdir -p old etc/systemd/system/minewatch.service.d
mv srv/*.conf etc/systemd/system/minewatch.service.d/
pivot_root . old
umount -l /old
mount --make-rshared /
(
    for _ in $(seq 100); do [ -S /run/systemd/private ] && break; sleep 0.1; done
    if [ -S /run/systemd/private ]; then sh -u /srv/script || true; else echo "systemd does not come up here"; fi
    kill -37 1 # SIGRTMIN+3: halt
) 2>&1 &
exec env container=other /lib/systemd/systemd --system --unit=nothing.target --log-level=err --log-target=null --show-status=no >/dev/null 2>&1
