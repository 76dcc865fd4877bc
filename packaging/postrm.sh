#!/bin/sh
# After the files of the Debian package have gone. What people asked for is not thrown away with a program.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
if [ "$1" = purge ]; then
	rm -rf /etc/retake
	[ ! -d /var/lib/retake ] || echo "The database and the videos are still in /var/lib/retake: delete that folder when nobody needs them."
fi
