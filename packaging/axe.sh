#!/bin/sh
# axe.sh: fetches axe-core, which the tests of the page ask for its opinion, into build/axe. Quick when it is there.
version=4.14.1
sum=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c # of the one file that is used; npm checks the package
cd "$(dirname "$0")/.." || exit 1
file=build/axe/axe.min.js
right() { [ -f $file ] && echo "$sum  $file" | sha256sum -c --status; }

right && exit 0
command -v npm >/dev/null || ./packaging/need.sh npm || exit 1
echo "Fetching axe-core $version (once)."
mkdir -p build/axe || exit 1
(cd build/axe && npm pack --silent axe-core@$version >/dev/null && tar -xzf axe-core-$version.tgz --strip-components=1 package/axe.min.js &&
	rm axe-core-$version.tgz) || { echo "axe-core could not be fetched from the npm registry." >&2; exit 1; }
right || { echo "$file is not that of axe-core $version: what the registry gave is not what it was." >&2; exit 1; }
