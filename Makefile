# make demo   real bundles into demo-output/        make test   the tests
# Both set up all they need in .venv first. More: lint, test-python, fuzz, mutate, same, image, sif, test-ecosystem, test-pages, test-containers,
# test-clusters, bench, docs, boutiques, schema, version, lock.

CONTAINER_ENGINE ?= docker
APPTAINER ?= apptainer
SIF ?= tractcap.sif
OPENGL ?= osmesa
python := .venv/bin/python
# hundreds of processes are started: none compiles the source anew, whatever the caller likes
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-python fuzz lint mutate same image sif test-ecosystem test-pages test-containers test-clusters bench docs boutiques schema version lock

demo: .venv/.done
	.venv/bin/tractcap demo demo-output participant --overview
	.venv/bin/tractcap demo demo-output group
	@echo "The pages and pictures are in $(CURDIR)/demo-output: open sub-1.html first, then group.html."

test: .venv/.done
	$(python) -m pytest -m "not container and not cluster and not browser and not ecosystem" -n 4 --dist worksteal tests

# what a Python's version can change, under another than .venv's, in .venv-python: PYTHON=python3.12 names it
test-python: .venv-python/.done
	.venv-python/bin/python -m pytest -m "not container and not cluster and not browser and not ecosystem" -n 3 --dist worksteal \
		tests/inputs tests/limits tests/records tests/drawing/test_draw.py tests/work/test_survival.py tests/work/test_pool.py tests/test_*.py

# breaks small whole files in many ways: FUZZ="--seconds 60 trx nii" chooses; tests/fuzz/fuzz.py tells more
fuzz: .venv/.done
	$(python) tests/fuzz/fuzz.py $(FUZZ)

lint: .venv/.done
	$(python) -m ruff format --no-cache --check .
	$(python) -m ruff check --no-cache .
	$(python) -m mypy
	.venv/bin/lint-imports --no-logo --no-cache

# a sample of mutations, and whether tests notice them; MUTATE="--seed 2 --count 20 limits plan" chooses
mutate: .venv/.done .venv-mutation/.done
	.venv-mutation/bin/python scripts/mutate.py $(MUTATE)

# whether this tree writes the same bytes as another checkout: SAME="../other checks odd" chooses
same: .venv/.done
	$(python) scripts/same_outputs.py $(SAME)

# OPENGL=egl takes EGL in place of OSMesa, here and below
image:
	$(CONTAINER_ENGINE) build --network host --build-arg OPENGL=$(OPENGL) -t tractcap .

# for Apptainer; BASE=FOLDER is a Debian trixie to begin with, where no registry can be reached
sif:
	$(APPTAINER) build --force --build-arg opengl=$(OPENGL) $(if $(BASE),--build-arg bootstrap=localimage --build-arg from=$(BASE)) $(SIF) apptainer.def

# other people's programs on what tractcap writes and on the files that configure them, in .venv-ecosystem and .venv-ecosystem-older
test-ecosystem: .venv/.done .venv-ecosystem/.done .venv-ecosystem-older/.done
	$(python) -m pytest -m ecosystem -n 2 --dist loadfile

# in Chromium; axe-core is in .venv-accessibility
test-pages: .venv/.done .venv-accessibility/.done
	scripts/setup-browser
	$(python) -m pytest -m browser

test-containers: .venv/.done
	CONTAINER_ENGINE="$(CONTAINER_ENGINE)" $(python) -m pytest -m container

# the tests' tops say what SBATCH, CGROUP2_VM, APPTAINER and SIF are; CGROUP2_VM runs the image that "make image" builds
test-clusters: .venv/.done
	APPTAINER="$(APPTAINER)" SIF="$(SIF)" $(python) -m pytest -m cluster

# BENCH="floor bare --quick" and the like chooses; benchmarks/run.py tells more
bench: .venv/.done
	$(python) benchmarks/run.py $(BENCH)

# README.md, docs/ and the reference of the Python API as a site, in site/: a warning is an error
docs: .venv-docs/.done
	.venv-docs/bin/mkdocs build

# the descriptor of the command line for Boutiques, from the command line
boutiques: .venv/.done
	$(python) scripts/boutiques.py >integrations/boutiques/.tractcap.json
	mv integrations/boutiques/.tractcap.json integrations/boutiques/tractcap.json

# the JSON Schema of the records, from the classes that read and write them
schema: .venv/.done
	$(python) scripts/record_schema.py >docs/.records.schema.json
	mv docs/.records.schema.json docs/records.schema.json

# writes the version of src/tractcap/version.py wherever else it stands; VERSION=1.0.0 sets it there first
version:
	python3 scripts/set_version.py $(VERSION)

# versions and hashes only: no index's address
lock: .venv/.done
	$(python) -m uv pip compile pyproject.toml --group fury $(lock_options) -o requirements/run.txt
	$(python) -m uv pip compile pyproject.toml --group dev -c requirements/run.txt $(lock_options) -o requirements/dev.txt
	$(python) -m uv pip compile --group ecosystem $(lock_options) -o requirements/ecosystem.txt
	$(python) -m uv pip compile --group ecosystem-older $(lock_options) -o requirements/ecosystem-older.txt
	$(python) -m uv pip compile --group accessibility --no-deps $(lock_options) -o requirements/accessibility.txt
	$(python) -m uv pip compile --group mutation $(lock_options) -o requirements/mutation.txt
	$(python) -m uv pip compile --group docs -c requirements/dev.txt $(lock_options) -o requirements/docs.txt
	$(python) -m uv pip compile --group bom $(lock_options) -o container/bom.txt

lock_options := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

.venv/.done: requirements/dev.txt pyproject.toml scripts/setup
	scripts/setup

.venv-python/.done: requirements/dev.txt pyproject.toml scripts/setup
	VENV=.venv-python scripts/setup

.venv-%/.done: requirements/%.txt scripts/setup-programs | .venv/.done
	scripts/setup-programs $*
