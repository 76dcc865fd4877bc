#!/bin/sh
# boot.sh FOLDER: starts systemd in a copy of this machine that forgets all changes, without a network, until it is killed.
# FOLDER must be empty; it becomes /mnt/retake of that machine. Needs root. What runs is a child of this process.
set -e
if [ -z "$BOOTED" ]; then
	[ "$(id -u)" = 0 ] || { echo "boot.sh needs root" >&2; exit 1; }
	groups=$(findmnt -n -t cgroup2 -o TARGET | tail -n 1)
	[ -n "$groups" ] || { echo "boot.sh needs a mounted cgroup2" >&2; exit 1; }
	own=$groups/retake-boot-$$
	mkdir "$own"
	echo $$ >"$own/cgroup.procs"
	BOOTED=1 exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup "$0" "$@"
fi
mount --make-rprivate /
mount -t tmpfs none /mnt
cd /mnt
mkdir changes work root
mount -t overlay none -o lowerdir=/,upperdir=changes,workdir=work root
mkdir -p root/mnt/retake root/mnt/old
mount --bind "$1" root/mnt/retake
mount -t proc none root/proc
mount -t sysfs -o ro none root/sys
mount -t cgroup2 none root/sys/fs/cgroup
mount -t tmpfs none root/run
mount -t tmpfs none root/tmp
mount -t tmpfs none root/dev
mkdir root/dev/pts root/dev/shm root/dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666 none root/dev/pts
ln -s pts/ptmx root/dev/ptmx
for device in null zero full random urandom tty; do
	touch root/dev/$device
	mount --bind /dev/$device root/dev/$device
done
hostname retake-boot
cd root
pivot_root . mnt/old
umount -l mnt/old
mount --make-rshared / # as systemd has it, which hands over credentials that way
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target
