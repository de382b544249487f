#!/usr/bin/env bash
# Debian packages that tests start, where a CI may install them: `bash .ci/installed.sh nginx:nginx-light`, each a command and
# its package. It never fails: what needs a command that is missing says so itself.
set -uo pipefail

missing=""
for pair in "$@"; do
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "${pair%%:*}" >/dev/null || missing+=" ${pair#*:}"
done
[ -z "$missing" ] && exit 0

if [ "${CI:-}" != true ] || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "not installed:$missing"
  exit 0
fi

# Installed to be started by the tests, not by the system.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi

log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
{
  timeout 60 apt-get update -qq &&
    timeout 180 apt-get install -y -qq --no-install-recommends $missing
} >"$log" 2>&1 </dev/null && echo "installed:$missing" || {
  tail -n 3 "$log"
  echo "could not be installed:$missing"
}
rm -f "$log"
exit 0
