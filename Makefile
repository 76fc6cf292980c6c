# Everything happens in .venv; `make demo` and `make test` each work alone, from a clean clone, with or without a Rust
# toolchain.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := words
.PHONY: audit evaluate coverage coverage-python coverage-rust licences lock mutation sbom wheel device-plot beside-ndpi words demo test check bench bench-growth instructions bench-live bench-daemon reliability soak fuzz format clean core plain rust-checks deb debian-packages desk-load desk-attack spark docs docs-reference province coverage-table sites-table kafka deploy-tools deploy-check province-many

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
INSTALL := $(PIP) install -c requirements.lock --no-build-isolation
CRATE := --manifest-path sensor/core/Cargo.toml
# What the tests run beside Python's packages lives here, away from .venv.
TOOLS := build/tools
# A stamp of its own for "with" and "without" a toolchain: installing Rust later builds the core at the next make.
CORE := build/core-$(if $(shell command -v cargo),rust,none).stamp
CORE_SOURCES := $(shell find sensor/core -path sensor/core/fuzz -prune -o \( -name '*.rs' -o -name 'Cargo.*' \) -print) pyproject.toml sensor/model/version.py .cargo/config.toml
# Modules of these rooms are compiled, too (setup.py names them), or tell those their types.
HOT_SOURCES := setup.py $(shell find sensor/session sensor/names sensor/line sensor/dialects sensor/signatures sensor/estimate sensor/model -name '*.py')
# Real counterparts that tests talk to; where they cannot be installed, those tests skip and say so.
DEBIAN_PACKAGES := chromium iproute2 libpcap0.8 lintian logrotate openssl postgresql prometheus prometheus-alertmanager rsyslog rsyslog-gnutls strace systemd \
	tcpreplay tshark util-linux
# Prints why Rust cannot be used here, or nothing.
NO_RUST := if ! command -v cargo >/dev/null; then echo "there is no Rust toolchain on the PATH"; \
	elif ! command -v cc >/dev/null; then echo "there is no C compiler (cc) to link with"; \
	elif ! cargo fetch -q $(CRATE) 2>build/fetch.log; then echo "the crates cannot be fetched (build/fetch.log)"; fi

words:
	@echo "make demo     replay the demo capture and print who mines"
	@echo "make test     all checks and all tests"
	@echo "make check    formatting, lints, types, import rules"
	@echo "make bench    speed and memory beside other programs, into docs/speed.md; an hour. BENCH_ROUNDS, BENCH_ONLY"
	@echo "make bench-growth   speed and memory as flows and packets grow, into docs/speed.md; ten minutes"
	@echo "make instructions   instructions a packet in the core, by valgrind; the same whatever the machine does"
	@echo "make bench-live   packets over a cable in a namespace: what is heard of them"
	@echo "make bench-daemon   the whole daemon on a busy cable: packet to alert, scrapes, a hundred reloads"
	@echo "make province   days of simulated miners through the whole, against the truth; PROVINCE_DAYS, PROVINCE_MINERS, SEED"
	@echo "make kafka    sensors, a real broker, collectors and PostgreSQL, killed in turn, into docs/collect.md; KAFKA=\"killed --quick\""
	@echo "make province-many  many sensors, one central ledger, against the truth, into docs/province-many.md; an hour. MANY=\"--sensors 20 --addresses 500\""
	@echo "make deploy-check  compose file and manifests by their own tools, and what they describe as processes of this host"
	@echo "make evaluate  hidden mining in generated captures, against the truth, into docs/evaluation.md; an hour. QUICK=1, SEED"
	@echo "make desk-load   how long pages of the console take on a large ledger, into docs/console-load.md"
	@echo "make desk-attack wapiti and schemathesis at the console as each role, into docs/console-attacks.md; ten minutes"
	@echo "make spark    an archive read by a cluster of Spark on this host, an executor killed, into docs/batch.md; minutes"
	@echo "make reliability   twenty tests under load, loss and faults, into docs/reliability.md; two hours. ONLY=\"T4 T7\""
	@echo "make soak     the daemon under load and disturbances for 15 minutes, or SOAK_SECONDS"
	@echo "make fuzz     fuzz everything that takes bytes from outside, FUZZ_SECONDS=60"
	@echo "make deb      a Debian package in build/"
	@echo "make docs     the documents as a site in build/docs/html, with all links checked"
	@echo "make coverage-table   simulate miners, and write how often intervals hold the truth into docs/coverage.md"
	@echo "make sites-table      classify the sites of tests/cases/sites, and write the confusion matrix into docs/sites.md"
	@echo "make beside-ndpi      ask Debian's ndpiReader about every capture too, and write both answers into docs/; minutes"
	@echo "make device-plot      draw joules a hash by year and write the page of all devices, into docs/"
	@echo "make docs-reference   write the generated parts of docs/: command line, configuration, metrics, events"
	@echo "make audit    known faults and licences of what is used, as far as that can be asked here"
	@echo "make sbom     what a wheel is made of, as CycloneDX, into build/sbom/"
	@echo "make wheel    a wheel, built twice and compared, into build/wheel/"
	@echo "make lock     requirements.hashed.lock from requirements.lock; make licences: docs/licences.md"
	@echo "make coverage     which lines the tests run, Python and Rust; an hour"
	@echo "make mutation     whether tests of judge, estimate, attribution and silence notice changes; hours"
	@echo "make plain    run the line's modules as they are written, for who edits them, until the next make"
	@echo "make format   put the sources in order"
	@echo "make clean    delete what was built"

$(BIN)/python:
	@python=""
	for candidate in python3 python3.11 python3.12 python3.13 python3.14; do
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi
	done
	if [ -z "$$python" ]; then echo "make: Python 3.11 or newer is needed" >&2; exit 1; fi
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
		package=$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$$package" >/dev/null
		else
			echo "make: Python's venv module is missing: apt-get install $$package" >&2; exit 1
		fi
	fi
	"$$python" -m venv .venv

.venv/.build-tools: $(BIN)/python requirements.lock
	@$(PIP) install -c requirements.lock setuptools setuptools-rust mypy
	touch $@

$(CORE): $(CORE_SOURCES) $(HOT_SOURCES) .venv/.build-tools
	@mkdir -p build
	find sensor -name '*.so' -delete
	rm -f build/core-*.stamp
	echo "building minewatch ..." >&2
	$(INSTALL) -e '.[demo]'
	if $(BIN)/python -c 'import sensor._core' 2>build/import.log; then
		echo "core: compiled" >&2
	else
		why=$$($(NO_RUST))
		if [ -z "$$why" ]; then
			echo "make: the Rust core does not build or load:" >&2
			cat build/import.log >&2
			cargo build --release --features python $(CRATE)
			exit 1
		fi
		echo "############################################################################" >&2
		echo "# The Rust core is NOT built: $$why." >&2
		echo "# minewatch runs on the reference core in Python: same findings, far slower." >&2
		echo "############################################################################" >&2
	fi
	if $(BIN)/python -c 'import sensor._hot__mypyc' 2>/dev/null; then
		echo "line: compiled" >&2
	else
		echo "line: plain Python, a third as fast: no C compiler with Python's headers, or MINEWATCH_PLAIN is set" >&2
	fi
	touch $@

core: $(CORE)

# For who edits modules of the line: without the compiled ones, until the next make.
plain:
	@find sensor -name '*.so' ! -name '_core*' -delete
	rm -f build/core-*.stamp

.venv/.dev: $(CORE)
	@$(INSTALL) $$($(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dev"])')
	touch $@

build/demo.pcap: $(CORE) $(wildcard tests/demo/*.py)
	@$(BIN)/python -m tests.demo.make_demo $@

demo: build/demo.pcap
	@rm -f build/demo.db*
	$(BIN)/minewatch replay -c tests/demo/minewatch.yaml build/demo.pcap --report build/demo.html --ledger sqlite:///build/demo.db
	echo "The same as a page to look at: $(CURDIR)/build/demo.html"
	echo "The ledger, and the bulletin of its week in Chinese and English: $(CURDIR)/build/demo.db"
	$(BIN)/minewatch bulletin --week 2026-W10 --lang both --ledger sqlite:///build/demo.db -o $(CURDIR)/build/bulletin

check: .venv/.dev rust-checks
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports
	$(BIN)/python -m tests.layout.measure

rust-checks: $(CORE)
	@why=$$($(NO_RUST))
	if [ -n "$$why" ]; then
		echo "SKIPPED: cargo fmt, cargo clippy, cargo test: $$why" >&2
		exit 0
	fi
	cargo fmt $(CRATE) --check
	cargo fmt --manifest-path sensor/core/fuzz/Cargo.toml --check
	cargo clippy -q $(CRATE) --all-targets -- -D warnings
	cargo clippy -q $(CRATE) --features python -- -D warnings
	cargo test -q $(CRATE)

# The accessibility checker of the pages; a test runs it in Chromium, or skips.
AXE := build/axe/node_modules/axe-core/package.json
$(AXE):
	@mkdir -p build/axe
	if ! command -v npm >/dev/null; then
		echo "SKIPPED: the accessibility checks need Node's npm" >&2
	elif ! npm install --silent --no-audit --no-fund --no-save --prefix build/axe axe-core@4.14.1 2>build/axe/npm.log; then
		echo "SKIPPED: the accessibility checks, for axe-core cannot be installed (build/axe/npm.log)" >&2
	fi

test: check build/demo.pcap debian-packages $(AXE)
	@$(BIN)/python -m pytest -rs -m "not shared and not province" -n $${TEST_WORKERS:-3} --dist loadfile

fuzz: .venv/.dev build/demo.pcap
	@$(BIN)/python -m tests.fuzz.run --seconds $${FUZZ_SECONDS:-60}
	$(BIN)/python -m tests.fuzz.damaged --seconds $$(( $${FUZZ_SECONDS:-60} / 6 )) build/demo.pcap

# The exit code is 1 if a test did not pass; the page is written in any case.
reliability: .venv/.dev build/demo.pcap debian-packages
	@$(BIN)/python -m tests.reliability $(ONLY) --write

# T5 alone. A quarter of an hour shows all but how memory grows.
soak: .venv/.dev debian-packages
	$(BIN)/python -m tests.reliability.soak --seconds $${SOAK_SECONDS:-900}

# An hour on two processors; QUICK=1 five minutes. The page is figures alone: the exit code is 1 only if it cannot run.
evaluate: .venv/.dev
	@$(BIN)/python -m tests.evaluation --seed $${SEED:-1} $(if $(QUICK),--quick)

coverage-table: .venv/.dev
	$(BIN)/python -m tests.coverage.table --write

sites-table: .venv/.dev
	$(BIN)/python -m tests.cases.sites.matrix --write

# The exit code is 1 if nDPI finds what minewatch misses, or minewatch calls mining what is none; the page is written.
beside-ndpi: .venv/.dev
	@$(BIN)/python -m tests.bench.beside_ndpi --write

bench: .venv/.dev
	@$(BIN)/python -m tests.bench.attribution
	$(BIN)/python -m tests.bench.run

bench-growth: .venv/.dev
	@$(BIN)/python -m tests.bench.growth

instructions: .venv/.dev
	@$(BIN)/python -m tests.bench.instructions

bench-live: .venv/.dev debian-packages
	@$(BIN)/python -m tests.bench.live

bench-daemon: .venv/.dev debian-packages
	@$(BIN)/python -m tests.bench.daemon

# The exit code is 1 if a goal was missed; the page is written in any case.
province: .venv/.dev
	@$(BIN)/python -m pytest -rsx -m province tests/province
	$(BIN)/python -m tests.province --days $${PROVINCE_DAYS:-7} --machines $${PROVINCE_MINERS:-20} --seed $${SEED:-1} --page docs/province.md

# Four weeks of a province with many sensors, in PostgreSQL; without MANY both sizes of the page.
province-many: .venv/.dev debian-packages
	@for size in $(if $(MANY),"$(MANY)","--sensors 20 --addresses 500 --write" "--sensors 200 --addresses 5000 --write"); do
		$(BIN)/python -m tests.province_many $$size
	done

# Kafka is run, not shipped: KAFKA_HOME, or its jars as Maven is set up to fetch them.
KAFKA_JARS := build/kafka/libs/.fetched
$(KAFKA_JARS): tests/kafka/pom.xml
	@mkdir -p build/kafka/libs
	if ! command -v mvn >/dev/null; then echo "make: Maven is needed to fetch Kafka's jars, or KAFKA_HOME" >&2; exit 1; fi
	mvn -q -B -f tests/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/build/kafka/libs
	touch $@

kafka: .venv/.dev debian-packages $(if $(KAFKA_HOME),,$(KAFKA_JARS))
	@$(BIN)/python -m tests.kafka $(KAFKA) --write

# Tools that read compose files and manifests: two programs in Go, and the schemas of Kubernetes from a Python package, of
# which nothing is run. Without Go, or what it asks for, those tests skip and say so.
KUBERNETES := $(TOOLS)/kubernetes/.schemas
$(KUBERNETES): $(BIN)/python Makefile
	@mkdir -p $(TOOLS)/bin
	$(PIP) install --no-deps --upgrade --target $(TOOLS)/kubernetes kubernetes-validate==1.37.0
	touch $@

deploy-tools: $(KUBERNETES) $(if $(KAFKA_HOME),,$(if $(shell command -v mvn),$(KAFKA_JARS)))
	@if ! command -v go >/dev/null; then echo "SKIPPED: there is no Go on the PATH for kubeconform and compose-go" >&2; exit 0; fi
	export GOBIN=$(CURDIR)/$(TOOLS)/go
	if [ ! -x $(TOOLS)/bin/kubeconform ]; then
		go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
		mv $(TOOLS)/go/kubeconform $(TOOLS)/bin/
	fi
	if [ ! -x $(TOOLS)/bin/compose-go ]; then
		go install github.com/compose-spec/compose-go/v2/cmd@v2.9.0
		mv $(TOOLS)/go/cmd $(TOOLS)/bin/compose-go
	fi

deploy-check: .venv/.dev debian-packages deploy-tools
	@$(BIN)/python -m pytest -rs tests/deploy/test_compose.py tests/deploy/test_kubernetes.py tests/deploy/test_container.py \
		tests/deploy/test_centre_rules.py tests/deploy/test_running_centre.py

# How long pages take on a large ledger while it is written, and whoever attacks the console; on this host alone. Without
# its arguments LOAD takes both databases, 5,000 addresses and 52 weeks, 50 visitors for three minutes: half an hour.
desk-load: .venv/.dev
	@$(BIN)/python -m tests.console.load $(or $(LOAD),--visitors 50,100,200,500 --curve 500x52,5000x52,50000x13 --write)

# As root in a namespace without a route. wapiti (GPL-2.0) and schemathesis (MIT) are programs that are run, no libraries.
desk-attack: .venv/.dev build/demo.pcap
	DESK_SCREENS=all $(BIN)/python -m pytest -rs tests/console/test_browser.py
	@for tool in wapiti3 schemathesis; do
		if [ ! -x $(TOOLS)/$$tool/bin/python ]; then
			$(BIN)/python -m venv $(TOOLS)/$$tool
			$(TOOLS)/$$tool/bin/python -m pip --disable-pip-version-check -q install $$tool
		fi
	done
	attack="$(CURDIR)/$(BIN)/python -m tests.console.attack --wapiti $(CURDIR)/$(TOOLS)/wapiti3/bin/wapiti \
		--schemathesis $(CURDIR)/$(TOOLS)/schemathesis/bin/schemathesis --seconds $${ATTACK_SECONDS:-20} --write"
	if [ "$$(id -u)" = 0 ] && command -v unshare >/dev/null; then
		unshare --net sh -c "ip link set lo up && exec $$attack"
	else
		$$attack
	fi

# pyspark takes half a gigabyte, and nothing else needs it: it lives in a folder of its own. SPARK_SITES: how many captures.
SPARK := build/spark
$(SPARK)/.libraries: $(BIN)/python Makefile
	@mkdir -p $(SPARK)
	$(PIP) install --upgrade --target $(SPARK)/libraries pyspark==4.3.0
	touch $@

spark: .venv/.dev $(SPARK)/.libraries
	@command -v java >/dev/null || $(MAKE) --no-print-directory debian-packages DEBIAN_PACKAGES=openjdk-17-jre-headless
	export PYTHONPATH=$(CURDIR)/$(SPARK)/libraries
	$(BIN)/python -m tests.batch.spark_cluster --sites $${SPARK_SITES:-220} --write
	$(BIN)/python -m pytest -rs tests/batch/test_spark.py

# Debian would start some of these as services: policy-rc.d says no while they are put in.
debian-packages:
	@command -v dpkg-query >/dev/null || exit 0
	missing=$$(for package in $(DEBIAN_PACKAGES); do dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || echo "$$package"; done)
	if [ -z "$$missing" ]; then exit 0; fi
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "SKIPPED: some tests need root to install:" $$missing >&2
		exit 0
	fi
	if [ ! -e /usr/sbin/policy-rc.d ]; then
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
		chmod 755 /usr/sbin/policy-rc.d
	fi
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
		|| echo "SKIPPED: some tests, for these could not be installed:" $$missing >&2

deb: .venv/.dev
	@$(BIN)/python deploy/debian/build.py

# Sphinx lives in an environment of its own: nothing else needs it.
DOCS := build/docs
$(DOCS)/.tools: $(BIN)/python pyproject.toml
	@mkdir -p $(DOCS)
	$(BIN)/python -m venv $(DOCS)/venv
	$(DOCS)/venv/bin/python -m pip --disable-pip-version-check -q install $$($(BIN)/python -c \
		'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"])')
	touch $@

docs: $(DOCS)/.tools
	@$(DOCS)/venv/bin/sphinx-build -q -E -W --keep-going -b html -c docs -d $(DOCS)/doctrees . $(DOCS)/html
	echo "$(CURDIR)/$(DOCS)/html/index.html"

docs-reference: .venv/.dev
	@$(BIN)/python docs/reference.py

# What minewatch is made of, and how well it is tried.
TOOL_PIP := $(TOOLS)/venv/bin/python -m pip --disable-pip-version-check -q
HASHED := requirements.hashed.lock
# The time of the last commit stands in everything that is packed.
EPOCH := $$(git log -1 --format=%ct 2>/dev/null || echo 1767225600)

$(TOOLS)/.python: $(BIN)/python Makefile
	@mkdir -p $(TOOLS)
	$(BIN)/python -m venv $(TOOLS)/venv
	$(TOOL_PIP) install build==1.6.1 cosmic-ray==8.7.0 cyclonedx-bom==7.5.0 pip-audit==2.10.1 uv==0.13.9
	touch $@

# A tool of Cargo's, built where it is not there yet: $(call cargo_tool,NAME,VERSION). Braces, for callers negate the whole.
cargo_tool = { command -v $(1) >/dev/null || [ -x $(TOOLS)/bin/$(1) ] || \
	cargo install -q $(1)@$(2) --locked --root $(TOOLS) --target-dir $(TOOLS)/cargo 2>$(TOOLS)/$(1).log; }

lock: $(TOOLS)/.python
	@{
		echo "# The same versions with the digests of their files, made by \`make lock\`: pip install --require-hashes -r FILE."
		$(TOOLS)/venv/bin/uv pip compile -q --no-config --no-deps --generate-hashes --universal --python-version 3.11 \
			--no-annotate --no-header requirements.lock
	} >$(TOOLS)/hashed
	mv $(TOOLS)/hashed $(HASHED)

# Each part that cannot be asked here is said, and is no failure; what is found is one.
audit: $(TOOLS)/.python
	@failed=0
	echo "== digests of $(HASHED)"
	$(TOOL_PIP) download --no-deps --require-hashes -r $(HASHED) -d $(TOOLS)/downloads >$(TOOLS)/digests.log 2>&1 \
		&& echo "every package is the one that was locked" || { cat $(TOOLS)/digests.log; failed=1; }
	echo "== pip-audit"
	$(TOOLS)/venv/bin/pip-audit --disable-pip --require-hashes -r $(HASHED) -f json -o $(TOOLS)/pip-audit.json \
		>$(TOOLS)/pip-audit.log 2>&1 || true
	$(BIN)/python deploy/audited.py $(TOOLS)/pip-audit.json || failed=1
	echo "== cargo-deny"
	why=$$($(NO_RUST))
	if [ -z "$$why" ] && ! $(call cargo_tool,cargo-deny,0.20.2); then why="cargo-deny does not build ($(TOOLS)/cargo-deny.log)"; fi
	if [ -n "$$why" ]; then echo "NOT ASKED: $$why"; exit $$failed; fi
	PATH="$$PATH:$(CURDIR)/$(TOOLS)/bin"
	deny="cargo deny $(CRATE) --config $(CURDIR)/deny.toml"
	$$deny check licenses bans sources || failed=1
	if $$deny fetch db 2>$(TOOLS)/advisories.log; then
		$$deny check advisories || failed=1
	else
		echo "NOT ASKED: the database of advisories for Rust cannot be reached ($(TOOLS)/advisories.log)"
	fi
	exit $$failed

licences: .venv/.dev
	@$(BIN)/python deploy/licences.py >build/licences.md
	mv build/licences.md docs/licences.md

sbom: .venv/.dev $(TOOLS)/.python
	@mkdir -p build/sbom
	$(TOOLS)/venv/bin/cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible \
		--of JSON -o build/sbom/python.cdx.json
	echo "$(CURDIR)/build/sbom/python.cdx.json"
	why=$$($(NO_RUST))
	if [ -z "$$why" ] && ! $(call cargo_tool,cargo-cyclonedx,0.5.9); then why="it does not build ($(TOOLS)/cargo-cyclonedx.log)"; fi
	if [ -n "$$why" ]; then echo "NOT MADE: the crates' part: $$why"; exit 0; fi
	PATH="$$PATH:$(CURDIR)/$(TOOLS)/bin" SOURCE_DATE_EPOCH=$(EPOCH) cargo cyclonedx -q --manifest-path sensor/core/Cargo.toml \
		--all-features --format json --override-filename rust.cdx
	mv sensor/core/rust.cdx.json build/sbom/rust.cdx.json
	echo "$(CURDIR)/build/sbom/rust.cdx.json"

# Built twice from nothing, in two folders: equal to the byte, or the two digests and a failure. No path of this machine
# is left in it: the core is compiled as if it lay in /minewatch, and its crates in /cargo.
wheel: .venv/.build-tools
	@export SOURCE_DATE_EPOCH=$(EPOCH)
	rm -rf build/wheel
	crates=$${CARGO_HOME:-$$HOME/.cargo}
	for folder in $(CURDIR)/build/wheel/first $(CURDIR)/build/wheel/second/deeper; do
		mkdir -p $$folder
		git ls-files -z | xargs -0 cp --parents -t $$folder
		export RUSTFLAGS="--remap-path-prefix=$$folder=/minewatch --remap-path-prefix=$$crates=/cargo"
		export CFLAGS="-ffile-prefix-map=$$folder=/minewatch -ffile-prefix-map=$$crates=/cargo"
		(cd $$folder && $(CURDIR)/$(BIN)/python -m pip --disable-pip-version-check -q wheel --no-deps --no-build-isolation -w . .)
	done
	sha256sum build/wheel/first/*.whl build/wheel/second/deeper/*.whl
	cmp build/wheel/first/*.whl build/wheel/second/deeper/*.whl
	mv build/wheel/first/*.whl build/wheel/
	rm -rf build/wheel/first build/wheel/second
	echo "$(CURDIR)/$$(ls build/wheel/*.whl)"

COVERED := $(CURDIR)/build/coverage
coverage: coverage-python coverage-rust

# Daemons of the tests write their part at their end, into a folder that their sandbox lets them have (SQLite's).
coverage-python: .venv/.dev build/demo.pcap debian-packages
	@$(MAKE) --no-print-directory plain
	$(INSTALL) coverage==7.17.5
	rm -rf $(COVERED)/python && mkdir -p $(COVERED)/python
	export COVERAGE_FILE=$(COVERED)/python/data COVERAGE_RCFILE=$(CURDIR)/pyproject.toml SQLITE_TMPDIR=$(COVERED)/python
	$(BIN)/python -m coverage run -m pytest -m "not shared and not province" -n $${TEST_WORKERS:-3} --dist loadfile \
		--timeout 900 || echo "some tests failed under coverage, which is slow: what they ran counts"
	$(BIN)/python -m coverage combine -q && $(BIN)/python -m coverage html -q -d $(COVERED)/html
	$(BIN)/python -m coverage report --skip-covered --fail-under=95

# The compiled core as Rust's tests and the tests of its border run it, in a copy of the tree that has the counting one.
# The compiler's llvm-tools are Debian's llvm of the same number; where that is not, rustup's llvm-tools-preview.
COUNTING := build/coverage/rust
coverage-rust: .venv/.dev build/demo.pcap debian-packages
	@why=$$($(NO_RUST))
	mkdir -p $(TOOLS)
	if [ -z "$$why" ] && ! $(call cargo_tool,cargo-llvm-cov,0.9.1); then why="it does not build ($(TOOLS)/cargo-llvm-cov.log)"; fi
	if [ -n "$$why" ]; then echo "NOT MEASURED: Rust: $$why"; exit 0; fi
	llvm=$$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
	$(MAKE) --no-print-directory debian-packages DEBIAN_PACKAGES=llvm-$$llvm
	export PATH="$$PATH:$(CURDIR)/$(TOOLS)/bin" CARGO_TARGET_DIR=$(CURDIR)/$(COUNTING)/cargo CARGO_PROFILE_DEV_OPT_LEVEL=1
	if command -v llvm-cov-$$llvm >/dev/null; then
		export LLVM_COV=$$(command -v llvm-cov-$$llvm) LLVM_PROFDATA=$$(command -v llvm-profdata-$$llvm)
	fi
	eval "$$(cargo llvm-cov show-env --sh $(CRATE) 2>/dev/null)"
	cargo llvm-cov clean --workspace $(CRATE)
	cargo build -q $(CRATE) --features python
	cargo test -q $(CRATE)
	rm -rf $(COUNTING)/tree && mkdir -p $(COUNTING)/tree/build
	git ls-files -z | xargs -0 cp --parents -t $(COUNTING)/tree
	cp build/demo.pcap $(COUNTING)/tree/build/
	cp $(COUNTING)/cargo/debug/lib_core.so $(COUNTING)/tree/sensor/_core.abi3.so
	cd $(COUNTING)/tree
	PYTHONPATH=$$PWD SQLITE_TMPDIR=$$CARGO_TARGET_DIR $(CURDIR)/$(BIN)/python -m pytest -p no:cacheprovider -m "not shared" \
		-k "not reference" tests/core tests/live tests/daemon/test_sandbox.py \
		|| echo "some tests failed with the counting core, which is slow: what they ran counts"
	cargo llvm-cov report --manifest-path $(CURDIR)/sensor/core/Cargo.toml --fail-under-lines 90

# Changes no file of the tree. MUTANTS bounds how many changes of each part are tried, the first of a fixed order.
mutation: .venv/.dev $(TOOLS)/.python
	@$(MAKE) --no-print-directory plain
	mkdir -p build/mutation
	for part in $${MUTATE:-silence judge estimate attribution}; do
		$(TOOLS)/venv/bin/python -m tests.mutation.mutants $$part >build/mutation/$$part.jsonl
		$(BIN)/python -m tests.mutation.run $$part build/mutation/$$part.jsonl $${MUTANTS:+--at-most $$MUTANTS} \
			| tee build/mutation/$$part.txt
	done

format: .venv/.dev
	@$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	if command -v cargo >/dev/null; then cargo fmt $(CRATE); cargo fmt --manifest-path sensor/core/fuzz/Cargo.toml; fi

clean:
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find sensor -name '*.so' -delete
	find sensor exporters signatures tests -name __pycache__ -type d -prune -exec rm -rf {} +

device-plot: .venv/.dev
	.venv/bin/python -m docs.device_plot
