# Two commands to know: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
DEMO   := outputs/demo
HEADS  := outputs/shipped_heads

REFERENCE := $(BIN)/python -m harness.regress model=lattice_3x64 pictures=false tracker=none
# structure and folded read what does not come with the project
METHODS   := $(filter-out structure folded,$(basename $(notdir $(wildcard conf/method/*.yaml))))
SHORT     := [1AQTA_PF02823,1BXYA_PF00327,1UCSA_PF08666,3MQIA_PF01833,1U2HA_PF07679,2O9SA_PF00018,3I2ZA_PF00313,1JL3A_PF01451,2PNDA_PF07686,1UNQA_PF00169]

.PHONY: demo test check ui train heads references screenshots audit clean

demo: $(VENV)/.ready
	$(BIN)/python -m harness experiment=model_sizes hydra.sweep.dir=$(DEMO)
	$(BIN)/python -m harness experiment=alignment_depths hydra.sweep.dir=$(DEMO)

test: $(VENV)/.ready check
	$(BIN)/python -m pytest

check: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The MLflow UI on this machine only; stop it with Ctrl-C.
ui: $(VENV)/.ready
	@echo "open http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=contacts"
	MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
	  $(BIN)/mlflow server --workers 1 --host 127.0.0.1 --port 5000 \
	  --backend-store-uri sqlite:///$(CURDIR)/outputs/mlflow/mlflow.db

# Trains the embedded models again (about 40 minutes); then copy the .pt and .md files you want.
train: $(VENV)/.ready
	$(BIN)/python -m harness.train -m 'architecture=2x16,2x32,3x64,4x128'

# Fits the contact heads of the embedded models again, on labeled lattice proteins (two minutes).
heads: $(VENV)/.ready
	rm -rf $(HEADS)
	for name in lattice_2x16 lattice_2x32 lattice_3x64 lattice_4x128; do \
	  $(BIN)/python -m harness model=$$name method=fitted_contact_head dataset.limit=1 \
	    tracker=none pictures=false method.folder=$(HEADS)/$$name && \
	  cp $(HEADS)/$$name/*.pt harness/models/checkpoints/$$name-contact-regression.pt || exit 1; \
	done

# Freezes the numbers of every method again (docs/comparing.md says when): on lattice proteins, and
# with DATA=DIR on ten short domains of that folder.
references: $(VENV)/.ready
	for name in $(METHODS); do \
	  $(REFERENCE) method=$$name dataset.depth=256 freeze=lattice/$$name || exit 1; \
	done
	for name in $(if $(DATA),$(METHODS)); do \
	  $(REFERENCE) method=$$name dataset=folder dataset.path=$(DATA) dataset.labeled=20 \
	    'dataset.ids=$(SHORT)' freeze=domains/$$name || exit 1; \
	done

# Takes the pictures of docs/mlflow.md again, from the runs of `make demo`.
screenshots: $(VENV)/.ready
	$(BIN)/python -m docs.take_screenshots

# Looks up known vulnerabilities of every version in constraints.txt (docs/security.md); needs pypi.org,
# and fails for a package that cannot be looked up.
audit:
	$(PYTHON) -m venv outputs/audit
	outputs/audit/bin/python -m pip install --quiet 'pip-audit>=2.10,<3'
	outputs/audit/bin/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "error: Python 3.11 to 3.13 is needed; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@
