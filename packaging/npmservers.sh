#!/bin/sh
# npmservers.sh: installs the servers of packaging/servers, which the tests run on Node.js, into build/npm: oidc-provider for
# OAuth, s3rver for S3. Quick when they are there.
cd "$(dirname "$0")/.." || exit 1
right() { [ -d build/npm/node_modules ] && for f in packaging/servers/*; do cmp -s "$f" "build/npm/${f##*/}" || return 1; done; }

right && exit 0
command -v node >/dev/null || ./packaging/need.sh nodejs || exit 1
command -v npm >/dev/null || ./packaging/need.sh npm || exit 1
echo "Fetching oidc-provider and s3rver (once)."
rm -rf build/npm
mkdir -p build/npm && cp packaging/servers/package*.json build/npm || exit 1
(cd build/npm && npm ci --silent --ignore-scripts --omit=optional >/dev/null) || {
	echo "oidc-provider and s3rver could not be fetched from the npm registry." >&2
	exit 1
}
cp packaging/servers/* build/npm # last: it says that all is there
