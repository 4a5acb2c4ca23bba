# Two commands: `make run` and `make test`. Both set up what they need, once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
KIND := run

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## Virtual environment, locked dependencies, Chromium and fonts; leaves .venv/bin/signpost
	@bash deploy/setup.sh $(KIND)

run: setup ## The site on http://127.0.0.1:8000 with embedded engines and the demo institution
	@exec .venv/bin/signpost serve --prepare

test: KIND := test
test: setup ## Everything: ruff, mypy, import-linter, pytest on SQLite and PostgreSQL, with a real browser
	@bash deploy/test.sh

lock: ## Write the lock files anew from pyproject.toml (names, versions and hashes only)
	@bash deploy/lock.sh

translations: ## Collect the sentences of pages and code into the English catalogue; say what lacks English
	@.venv/bin/python -m webapp.catalogue
	@.venv/bin/pybabel -q compile -d webapp/translations

.PHONY: help setup run test lock translations
