#!/bin/sh
# promtool.sh: tests the rules for alerts with Debian's promtool, which it unpacks into build/prometheus when it is missing.
cd "$(dirname "$0")/.." || exit 1
promtool=build/prometheus/usr/bin/promtool
if ! $promtool --version >/dev/null 2>&1; then
	echo "Fetching promtool (once)."
	rm -rf build/prometheus
	mkdir -p build/prometheus || exit 1
	fetch() { (cd build/prometheus && apt-get -qq download prometheus >/dev/null 2>&1); }
	if ! fetch; then
		sudo=
		[ "$(id -u)" = 0 ] || sudo=sudo
		$sudo apt-get update -qq && fetch || { echo "promtool could not be fetched from Debian." >&2; exit 1; }
	fi
	dpkg-deb --fsys-tarfile build/prometheus/*.deb | tar -x -C build/prometheus ./usr/bin/promtool || exit 1
	rm build/prometheus/*.deb
fi
exec $promtool test rules packaging/alerts_test.yml
