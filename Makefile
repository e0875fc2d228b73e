# Two commands do everything: `make demo` and `make test`. Both set up what they need and can be interrupted and repeated.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MANIFESTS := constraints.txt overrides.txt footage.txt pyproject.toml infra/environment.sh infra/virtualenv.sh $(wildcard packages/*/pyproject.toml)
BIN := $(CURDIR)/.venv/bin
# The tools of this workspace find each other, and nothing that happens to be installed elsewhere.
export PATH := $(BIN):$(PATH)
export DVC_NO_ANALYTICS := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export PYTHONUNBUFFERED := 1

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: .venv/.ready ## a real photograph performs a real video, by the released weights
	dreamactor animate --reference "$$(python -m dreamactor_core.footage astronaut)" \
	    --driving "$$(python -m dreamactor_core.footage talking-head)" --output out/demo.mp4
	@echo "The released tiny model learned from synthetic people alone and has never seen a photograph: docs/model-card.md."

# The release before this one, whose weights stages vae and 1 go on from.
RELEASED := packages/model/src/dreamactor_model/released/tiny
RELEASED_BEFORE := 71cdc59c6c245802c23a63ad93b7cf1a5464e2ad
release/start/tiny:
	mkdir -p $@.new
	git archive $(RELEASED_BEFORE):$(RELEASED) | tar -x -C $@.new
	mv $@.new $@

release: .venv/.ready release/start/tiny ## make the released weights again: hours on two cores, resumable (release/params.yaml)
	cd release && dvc repro train-refiner train-audio
	cd release && dreamactor model release models/refiner -o ../$(RELEASED)

CHECKS := lint types imports
# Those that take longest begin first.
SUITES := test-system test-signals test-model test-faults test-dataset test-core

test: environments ## all checks and all tests, as many at a time as there are cores
	@$(MAKE) --no-print-directory --jobs=$(shell getconf _NPROCESSORS_ONLN) --keep-going --output-sync=target $(CHECKS) $(SUITES)

# Two threads on two busy cores wait for each other.
$(SUITES): export OMP_NUM_THREADS := 1

setup: .venv/.ready ## build .venv

# One after another: they all write into the packages' folders.
environments: .venv/.ready .venvs/mmpose/.ready $(foreach package,core signals dataset model,.venvs/$(package)/.ready)

.venv/.ready: $(MANIFESTS)
	infra/environment.sh .venv all

setup-mmpose: .venvs/mmpose/.ready ## build the mmpose tracker's own environment

.venvs/mmpose/.ready: infra/virtualenv.sh $(wildcard infra/mmpose/*)
	mkdir -p .venvs
	infra/mmpose/setup.sh .venvs/mmpose

lint: .venv/.ready ## style
	ruff check .
	ruff format --check .

types: .venv/.ready ## static types
	mypy

imports: .venv/.ready ## the one-way rule between rooms
	lint-imports

# Each package alone, in an environment of it and those below it only.
.venvs/core/.ready: PACKAGES = core
.venvs/signals/.ready: PACKAGES = core 'signals[body,speech]'
.venvs/dataset/.ready: PACKAGES = core signals dataset
.venvs/model/.ready: PACKAGES = core signals dataset model
.venvs/%/.ready: $(MANIFESTS)
	mkdir -p .venvs
	infra/environment.sh .venvs/$* $(PACKAGES)

test-core test-signals test-dataset test-model: test-%: .venvs/%/.ready ## one package alone, with those below it only
	cd packages/$* && $(CURDIR)/.venvs/$*/bin/python -m pytest -c $(CURDIR)/pyproject.toml --rootdir . tests

# The mmpose tracker's tests run the real mmpose.
test-signals: .venvs/mmpose/.ready

test-system: .venv/.ready ## what crosses packages: command line, DVC, Prefect, MLflow
	python -m pytest tests --ignore tests/faults --ignore tests/training

test-faults: .venv/.ready ## trainings by several processes, and what is killed, damaged or too late
	python -m pytest tests/faults tests/training

clean: ## remove environments and everything the pipeline made (not DVC's cache)
	rm -rf .venv .venvs data models runs reports out mlflow.db mlartifacts .prefect

.PHONY: help demo release test setup setup-mmpose environments $(CHECKS) $(SUITES) clean
.SECONDARY:
