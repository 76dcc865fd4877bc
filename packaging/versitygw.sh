#!/bin/sh
# versitygw.sh: builds versitygw, the S3 server that the tests run, into build/. Quick when it is there.
version=v1.8.0
cd "$(dirname "$0")/.." || exit 1
right() { [ -x build/versitygw ] && go version -m build/versitygw | grep -q "mod.*github.com/versity/versitygw.*$version"; }

right && exit 0
echo "Building versitygw $version, an S3 server for the tests (once, some minutes)."
mkdir -p build || exit 1
log=$(GOBIN="$PWD/build" go install github.com/versity/versitygw/cmd/versitygw@$version 2>&1) && exit 0
echo "$log" >&2
echo "versitygw could not be built." >&2
exit 1
