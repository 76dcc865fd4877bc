#!/bin/sh
# After the files of the Debian package are there. It starts nothing: without a bot's token there is nothing to do.
set -e
[ "$1" = configure ] || exit 0
adduser --quiet --system --group --home /var/lib/retake --no-create-home retake
chown root:retake /etc/retake/config.toml
chmod 0640 /etc/retake/config.toml
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	[ -z "$2" ] || systemctl try-restart retake.service
fi
if [ -z "$2" ]; then
	echo "Retake is installed. It starts when you have told it who you are: see /usr/share/doc/retake/install.md"
fi
