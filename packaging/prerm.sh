#!/bin/sh
# Before the files of the Debian package go. An upgrade restarts Retake afterwards.
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now --quiet retake.service
fi
