#!/bin/sh
# testservers.sh: builds the programs that the tests run, into build/: versitygw for S3, nats-server for the farm, and
# Litestream. Quick when they are there.
cd "$(dirname "$0")/.." || exit 1
mkdir -p build || exit 1

# fetch PROGRAM MODULE VERSION PACKAGE
fetch() {
	[ -x "build/$1" ] && go version -m "build/$1" | grep -q "mod.*$2.*$3" && return
	echo "Building $1 $3 for the tests (once, some minutes)."
	log=$(GOBIN="$PWD/build" go install "$4@$3" 2>&1) && return
	echo "$log" >&2
	echo "$1 could not be built." >&2
	exit 1
}

fetch versitygw github.com/versity/versitygw v1.8.0 github.com/versity/versitygw/cmd/versitygw
fetch litestream github.com/benbjohnson/litestream v0.5.18 github.com/benbjohnson/litestream/cmd/litestream
fetch nats-server github.com/nats-io/nats-server/v2 v2.15.3 github.com/nats-io/nats-server/v2
