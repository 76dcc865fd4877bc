#!/bin/sh
# version.sh: prints the version of this repository's commit: v1.2.3, or v1.2.3-4-g5ab1cd2 four commits after that tag, or
# 0~git20261130.533+g5ab1cd2 before the first tag, by the day and the number of the commit, so that it grows.
cd "$(dirname "$0")/.." || exit 1
git describe --tags --dirty 2>/dev/null && exit 0
commit=$(git describe --always --dirty) || exit 1
day=$(TZ=UTC git log -1 --date=format-local:%Y%m%d --format=%cd) || exit 1
echo "0~git$day.$(git rev-list --count HEAD)+g$commit"
