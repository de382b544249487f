#!/usr/bin/env bash
# Tests on another Node than the one that is installed: `bash .ci/on-node.sh 22 --project node`. It comes from npm, as a package
# of this platform, into a folder that is gone afterwards. Where it cannot be had its tests are left out, with a word.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$1
shift

package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! timeout 120 npm install --prefix "$folder" --silent --no-save "$package@$version" </dev/null; then
  echo "Node $version cannot be had: its tests are left out"
  exit 0
fi
bin=$folder/node_modules/$package/bin
found=$("$bin/node" --version)
if [ "$found" = "$(node --version)" ]; then
  echo "Node $found is the one that is installed: its tests have run"
  exit 0
fi

echo "Node $found"
PATH="$bin:$PATH" "$bin/node" node_modules/vitest/vitest.mjs run --maxWorkers=2 "$@"
