#!/usr/bin/env bash
# Set up this checkout: `setup.sh run` for serving, `setup.sh test` for the tests as well.
# Doing it again costs nothing: each step leaves a mark that names what it was done for.
set -euo pipefail
cd "$(dirname "$0")/.."
kind="${1:-run}"
lock="requirements.lock"
[ "$kind" = test ] && lock="requirements-test.lock"

say() { printf '\033[1m%s\033[0m\n' "$*"; }

python="${PYTHON:-}"
if [ -z "$python" ]; then
  for candidate in python3 python3.13 python3.12 python3.11; do
    command -v "$candidate" >/dev/null && "$candidate" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
      && python="$candidate" && break
  done
fi
[ -n "$python" ] || { echo "Signpost needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv)." >&2; exit 1; }

[ -x .venv/bin/python ] || { say "Virtual environment"; "$python" -m venv .venv; }

# System programs: only where this may be done without asking (root on Debian), and only what is missing. They come while
# the packages of Python do.
programs() {
  local missing=()
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
  [ -n "$(fc-list :lang=zh family 2>/dev/null)" ] || missing+=(fonts-noto-cjk)
  if [ "$kind" = test ]; then
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing+=(postgresql)
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
    command -v redis-server >/dev/null || missing+=(redis-server)
  fi
  if [ "${#missing[@]}" -eq 0 ]; then return; fi
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "System programs: ${missing[*]}"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >.venv/apt.log 2>&1 \
      || echo "Could not install ${missing[*]} (see .venv/apt.log); what needs them is left out." >&2
  else
    echo "Not installed: ${missing[*]}. Signpost runs without; \`signpost doctor\` says what each is for." >&2
  fi
}
programs &
trap wait EXIT

# The test lock holds everything of the run lock, so a folder set up for tests is set up for running too.
mark=".venv/.installed-$kind-$(cat "$lock" requirements-browser.lock pyproject.toml | sha256sum | cut -c1-16)"
test_mark=".venv/.installed-test-$(cat requirements-test.lock requirements-browser.lock pyproject.toml | sha256sum | cut -c1-16)"
if [ ! -e "$mark" ] && [ ! -e "$test_mark" ]; then
  say "Dependencies ($lock; the first time takes a minute)"
  # A module is compiled when it is first imported: most of what comes along never is.
  install() { .venv/bin/pip install --quiet --disable-pip-version-check --no-compile "$@"; }
  install --require-hashes -r "$lock"
  install --require-hashes --no-deps -r requirements-browser.lock
  install --no-deps -e .
  touch "$mark"
fi

newest=$(find webapp/translations -name '*.po' -newer .venv/.translated 2>/dev/null | head -1 || true)
if [ ! -e .venv/.translated ] || [ -n "$newest" ] || [ ! -e webapp/translations/en/LC_MESSAGES/messages.mo ]; then
  .venv/bin/pybabel --quiet compile -d webapp/translations
  touch .venv/.translated
fi

