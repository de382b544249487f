#!/usr/bin/env bash
# A script on another Node than the one that is installed: `bash .ci/on-node.sh 22 <script> <arguments>`. It comes from npm, as a
# package of this platform, into a folder that is gone afterwards. Where it cannot be had the script is left out, with a word; with
# NODE_NEEDED=1 that is a failure.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$1
shift

package=node-$(node -p 'process.platform.replace("win32", "win") + "-" + process.arch')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if ! timeout 120 npm install --prefix "$folder" --silent --no-save "$package@$version" </dev/null; then
  echo "Node $version cannot be had: $1 is left out"
  exit "${NODE_NEEDED:-0}"
fi
bin=$folder/node_modules/$package/bin
found=$("$bin/node" --version)
if [ -z "${NODE_NEEDED:-}" ] && [ "$found" = "$(node --version)" ]; then
  echo "Node $found is the one that is installed: $1 has run on it"
  exit 0
fi

echo "Node $found"
PATH="$bin:$PATH" "$bin/node" "$@"
