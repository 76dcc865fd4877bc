#!/bin/sh
# Before the files of the Debian package go. An upgrade restarts Retake afterwards.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	deb-systemd-invoke stop retake.service 'retake@*.service'
	for link in /etc/systemd/system/*.wants/retake.service /etc/systemd/system/*.wants/retake@*.service; do
		[ ! -L "$link" ] || systemctl disable --quiet "${link##*/}"
	done
fi
