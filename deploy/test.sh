#!/usr/bin/env bash
# All checks. `--quick` leaves out the second run on PostgreSQL.
# The type checker needs one core for minutes, and tests often wait (for a browser, a socket, a second that has to pass):
# it takes what they leave, and its word is heard after them.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
# Tests start the program some hundred times: what Python has compiled is kept, or each start costs three seconds more.
unset PYTHONDONTWRITEBYTECODE
packages="core institution tracking content campaign scheduler webapp tests bench wsgi.py"

step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

step "ruff";           ruff check . && ruff format --check .
step "import-linter";  lint-imports
step "mypy --strict, beside the tests"
said=$(mktemp)
nice -n 10 mypy $packages >"$said" 2>&1 & types=$!
trap 'kill "$types" 2>/dev/null || true; rm -f "$said"' EXIT
step "pytest on SQLite, with a real browser"
pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=8 -q
step "mypy --strict"
right=0; wait "$types" || right=$?
cat "$said"
[ "$right" = 0 ] || exit "$right"
if [ "${1:-}" = --quick ]; then exit 0; fi
if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; then
  step "pytest on PostgreSQL, what touches the database"
  pytest -n 2 --dist loadfile --no-loadscope-reorder -q --database postgresql
else
  printf '\n\033[1;31mSKIPPED: no PostgreSQL on this machine; the suite ran on SQLite only.\033[0m\n'
fi
