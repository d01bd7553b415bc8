# make demo and make test do all their own set-up; interrupted, they carry on.

VENV ?= .venv
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.10; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
	2>/dev/null && echo $$p && break; done)
PIP = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	--constraint requirements/constraints.txt
DONE = $(VENV)/done
# Recipes fail when any part of a pipe fails; the demo shows progress only, mmengine's whole
# log is in the work directory.
SHELL = /bin/bash
.SHELLFLAGS = -o pipefail -c

TINY = configs/siampolarmask/siampolarmask_tiny_1xb8-1500i_synthetic.py
TRAINED = configs/siampolarmask/siampolarmask_mobilenetv2-matching-finer_test-davis2016.py
WEIGHTS = siampolarmask_mm/weights/siampolarmask_mobilenetv2-matching-refined.pth
DEMO = work_dirs/demo
VIDEOS = $(if $(DAVIS),davis,clips)

# Test a network, $(1) and its weights $(2), and draw what it found; $(3) names the results.
define track
	@echo '== Tracking in $(or $(DAVIS),synthetic clips)'
	@$(VENV)/bin/python -W ignore tools/test.py $(1) $(2) \
		--work-dir $(DEMO)/test_$(3) --cfg-options \
		test_evaluator.0.result_dir=$(DEMO)/masks_$(3) \
		test_dataloader.dataset.data_root=$(or $(DAVIS),$(DEMO)/clips)/ \
		test_dataloader.dataset.objects=$(if $(DAVIS),merged,all) \
		test_dataloader.dataset.ann_file=ImageSets/$(if $(DAVIS),2016,2017)/val.txt \
		| grep --line-buffered -E 'Iter\(|^(object|-+|mean|[^ ]+_[0-9]+) '
	@$(VENV)/bin/python tools/draw_results.py --pictures 5 \
		$(or $(DAVIS),$(DEMO)/clips)/JPEGImages/480p $(DEMO)/masks_$(3) $(DEMO)/pictures_$(3)
	@echo 'In the table above: J&F-Mean is the tracker, "still J&F" the first mask that never'
	@echo 'moves, "star J&F" the most that one star polygon can reach.'
endef

.DEFAULT_GOAL := help
.PHONY: help install demo demo-train davis test test-all docs lint clean

help:  ## list these targets
	@grep -hE '^[a-z-]+:.*  ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*  ## /make \1\t/' \
		| expand -t 16

install: $(DONE)/package  ## set up .venv: 10 to 25 minutes once, most of it to compile mmcv

demo: davis $(DEMO)/clips/done  ## track with the weights of the package: clips, or DAVIS=/path
	$(call track,$(TRAINED),$(WEIGHTS),$(VIDEOS))

demo-train: davis $(DEMO)/tiny.pth  ## train a tiny network on synthetic clips, and track with it
	$(call track,$(TINY),$(DEMO)/tiny.pth,tiny_$(VIDEOS))

davis:
	@test -z '$(DAVIS)' || test -d '$(DAVIS)/JPEGImages/480p' \
		|| { echo 'no $(DAVIS)/JPEGImages/480p: the folder of DAVIS expected' >&2; exit 1; }

test: $(DONE)/test  ## run the tests: about 3 minutes
	@echo '== Running the tests (about 3 minutes)'
	@OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -m 'not slow' --numprocesses 2 --dist worksteal

test-all: $(DONE)/test  ## run the slow tests as well: about 10 minutes
	@$(VENV)/bin/python -m pytest

docs: $(DONE)/docs  ## build the documentation into site/: half a minute
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict
	@echo 'site/index.html opens in a browser; for its search, serve it:'
	@echo '$(VENV)/bin/python -m http.server --directory site'

lint: $(DONE)/test  ## check style and format
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

clean:  ## remove .venv, what make demo made, and site/
	rm -rf $(VENV) $(DEMO) site

# The set-up, in steps that are not repeated.

$(DONE)/venv:
	@test -n '$(PYTHON)' || { echo 'Python 3.10, 3.11 or 3.12 expected, found none' >&2; exit 1; }
	@echo '== Creating $(VENV) with $(PYTHON)'
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/torch: $(DONE)/venv requirements/build.txt requirements/constraints.txt
	@echo '== Installing torch (1 to 5 minutes)'
	@$(PIP) pip setuptools
	@$(PIP) --requirement requirements/build.txt
	@touch $@

$(DONE)/mmcv: $(DONE)/torch requirements/mmcv.txt
	@command -v c++ >/dev/null || { echo 'a C++ compiler (c++) expected, found none' >&2; exit 1; }
	@$(VENV)/bin/python -c 'import os, sysconfig as s; \
		sys_h = os.path.join(s.get_paths()["include"], "Python.h"); \
		os.path.exists(sys_h) or exit(f"{sys_h} expected: install Python headers (python3-dev)")'
	@echo '== Compiling mmcv with its operators (10 to 25 minutes; seconds if pip has it cached)'
	@CUDA_VISIBLE_DEVICES= MMCV_WITH_OPS=1 MAX_JOBS=$${MAX_JOBS:-$$(nproc)} CFLAGS='-g0 -O2' \
		$(PIP) --no-build-isolation --no-deps --requirement requirements/mmcv.txt
	@touch $@

$(DONE)/openmmlab: $(DONE)/mmcv requirements/openmmlab.txt requirements/runtime.txt
	@echo '== Installing mmengine, mmdet, mmtrack and what they import (1 to 3 minutes)'
	@$(PIP) --requirement requirements/runtime.txt
	@$(PIP) --no-deps --requirement requirements/openmmlab.txt
	@touch $@

$(DONE)/package: $(DONE)/openmmlab setup.cfg pyproject.toml
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DONE)/test: $(DONE)/package requirements/test.txt
	@echo '== Installing pytest and ruff'
	@$(PIP) --requirement requirements/test.txt
	@touch $@

$(DONE)/docs: $(DONE)/venv requirements/docs.txt
	@echo '== Installing mkdocs'
	@$(PIP) --requirement requirements/docs.txt
	@touch $@

# The demo's steps.

$(DEMO)/clips/done: $(DONE)/package
	@echo '== Drawing synthetic clips (half a minute)'
	@rm -rf $(DEMO)/clips
	@$(VENV)/bin/python tools/make_clips.py $(DEMO)/clips
	@touch $@

$(DEMO)/tiny.pth: $(DEMO)/clips/done $(TINY)
	@echo '== Training on them (about 4 minutes on two cores)'
	@# Carry on an interrupted training, unless what it learns has changed.
	@[ $(DEMO)/train -nt $(TINY) ] && [ $(DEMO)/train -nt $< ] || rm -rf $(DEMO)/train
	@$(VENV)/bin/python -W ignore tools/train.py $(TINY) --work-dir $(DEMO)/train --resume \
		| sed -un '/Iter(/p'
	@cp $$(cat $(DEMO)/train/last_checkpoint) $@
