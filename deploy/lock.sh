#!/usr/bin/env bash
# Write requirements.lock (what runs) and requirements-test.lock (what tests need besides).
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/pip --version >/dev/null
.venv/bin/pip install --quiet pip-tools
compile() {
  .venv/bin/pip-compile --quiet --no-header --annotation-style=line --strip-extras --generate-hashes \
    --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options "$@" pyproject.toml
}
compile -o requirements.lock
compile --extra test -c requirements.lock -o requirements-test.lock
