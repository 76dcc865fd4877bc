#!/bin/sh
# natsserver.sh: builds nats-server, which the tests of the farm run, into build/. Quick when it is there.
version=v2.15.3
cd "$(dirname "$0")/.." || exit 1
right() { [ -x build/nats-server ] && go version -m build/nats-server | grep -q "mod.*github.com/nats-io/nats-server/v2.*$version"; }

right && exit 0
echo "Building nats-server $version for the tests (once, a minute)."
mkdir -p build || exit 1
log=$(GOBIN="$PWD/build" go install github.com/nats-io/nats-server/v2@$version 2>&1) && exit 0
echo "$log" >&2
echo "nats-server could not be built." >&2
exit 1
