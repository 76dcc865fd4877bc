#!/bin/sh
# proxies.sh: unpacks Debian's nginx and Caddy, which the tests put in front of Retake, into build/proxies. They are not
# installed: that would start them. Quick when they are there.
cd "$(dirname "$0")/.." || exit 1
right() { build/proxies/usr/sbin/nginx -v && build/proxies/usr/bin/caddy version; }

right >/dev/null 2>&1 && exit 0
echo "Fetching nginx and Caddy (once)."
rm -rf build/proxies
mkdir -p build/proxies || exit 1
fetch() { (cd build/proxies && apt-get -qq download nginx caddy >/dev/null 2>&1); }
if ! fetch; then
	sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq && fetch || { echo "nginx and Caddy could not be fetched from Debian." >&2; exit 1; }
fi
for package in build/proxies/*.deb; do
	dpkg-deb --extract "$package" build/proxies && rm "$package" || exit 1
done
right >/dev/null 2>&1 || { echo "What was fetched does not run." >&2; exit 1; }
