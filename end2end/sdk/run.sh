#!/bin/sh
# Lets the official SDKs judge a running sandbox: end2end/sdk/run.sh [URL]
# Sets up what is missing. Quiet on success but for the counts; exits non-zero when a judge objects.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
SANDBOX_URL=${1:-http://127.0.0.1:3400}
export SANDBOX_URL
cache=${XDG_CACHE_HOME:-$HOME/.cache}/till
venv=$cache/venv-sdk
log=$(mktemp)
trap 'rm -f "$log"' EXIT

[ -d "$here/node_modules/stripe" ] || (cd "$here" && npm ci --silent --no-audit --no-fund)
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  mkdir -p "$cache"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi

# Runs one judge; shows its output only if it objects.
judge() {
  name=$1
  count=$2
  shift 2
  if "$@" >"$log" 2>&1; then
    echo "$name: $(sed -n "$count" "$log") passed"
  else
    cat "$log"
    echo "$name: failed" >&2
    return 1
  fi
}

status=0
judge "stripe for Node" 's/^# pass //p' node --test --test-reporter=tap "$here/stripe.test.mjs" || status=1
judge "stripe for Python" 's/^Ran \([0-9]*\) .*/\1/p' "$venv/bin/python" "$here/test_stripe.py" || status=1
judge "Adyen for Python" 's/^Ran \([0-9]*\) .*/\1/p' "$venv/bin/python" "$here/test_adyen.py" || status=1
exit $status
