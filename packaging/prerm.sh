#!/bin/sh
# Before the files of the Debian package go. An upgrade restarts Retake afterwards.
set -e
[ "$1" = remove ] || exit 0
[ ! -d /run/systemd/system ] || systemctl stop retake.service 'retake@*.service'
for link in /etc/systemd/system/*.wants/retake.service /etc/systemd/system/*.wants/retake@*.service; do
	[ ! -L "$link" ] || systemctl disable --quiet "${link##*/}"
done
