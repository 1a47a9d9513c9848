# "make demo" shows a split domain at work on real servers; "make test" proves it. "make help" lists the rest.

.DEFAULT_GOAL := help
GATES := tests/gates
RUN := .venv/bin/python $(GATES)/run.py
INSTALLED := ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/.build/collections PATH=$(CURDIR)/.venv/bin:$$PATH

.PHONY: help setup build lint unit integration sanity molecule test test-all fresh demo bench lab-up lab-down clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## install what is needed: Debian packages, .venv
	@$(GATES)/setup.sh

build: setup ## build the collection and install it from its tarball into .build/collections
	@$(GATES)/build.sh

lint: build ## read the sources: style, types, documentation, packaging
	@$(RUN) lint

unit: setup ## test the parts without servers
	@$(RUN) unit

integration: build ## test the modules against real servers, started as child processes
	@$(RUN) integration

sanity: build ## run ansible-test's sanity tests over the built collection
	@$(RUN) sanity

molecule: build ## test the roles on the lab's servers by sending mail
	@$(RUN) molecule

test: build ## all of the above, the quick ones first
	@$(RUN) all

test-all: build ## the same in its long form, with every repair; CONTRIBUTING.md says what more it runs
	@SPLIT_DOMAIN_LONG_FORM=yes $(RUN) all

fresh: setup ## run setup, unit and integration in an empty Debian 12, where nothing was installed by hand
	@$(GATES)/fresh.sh

demo: build ## bring up the lab, split example.com over two servers, send mail and show where it went
	@$(INSTALLED) .venv/bin/python tests/lab/demo.py

bench: build ## measure speed against the tools one would take otherwise
	@$(INSTALLED) PYTHONPATH=$(CURDIR)/.build/link .venv/bin/python tests/benchmarks/run.py

lab-up: build ## bring up the lab's servers
	@$(INSTALLED) .venv/bin/python tests/lab/lab.py up

lab-down: setup ## take the lab's servers down
	@$(INSTALLED) .venv/bin/python tests/lab/lab.py down

clean: ## remove everything that was made here but the lab's images
	@[ ! -x .venv/bin/python ] || [ ! -e tests/lab/lab.py ] || for lab in $$(cd .build && ls -d lab*/ 2>/dev/null); do \
	  SPLIT_DOMAIN_LAB=$${lab%/} .venv/bin/python tests/lab/lab.py down; done
	rm -rf .build .venv .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/output
