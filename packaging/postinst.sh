#!/bin/sh
# After the files of the Debian package are there. It starts nothing: without a bot's token there is nothing to do.
set -e
[ "$1" = configure ] || exit 0
adduser --quiet --system --group --home /var/lib/retake --no-create-home retake
if [ ! -e /etc/retake/config.toml ] && [ -z "$2" ]; then
	install -m 640 -g retake /usr/share/retake/config.toml /etc/retake/config.toml
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# A program that does not start, because of a mistake in its settings, must not break the upgrade of all other packages.
	[ -z "$2" ] || deb-systemd-invoke try-restart retake.service 'retake@*.service' ||
		echo "Retake did not start again: systemctl status 'retake*' says why." >&2
fi
if [ -z "$2" ]; then
	echo "Retake is installed. It starts when you have told it who you are: see /usr/share/doc/retake/docs/install.md"
fi
