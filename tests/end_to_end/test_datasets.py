"""Data sets by their names, from servers that play the archives, through the command line."""

import gzip
import json
import os
import subprocess
import sys

import pytest

from tests.builders import DATA, QUERY, needs_data
from tests.entries import entry
from tests.servers import Files, serving

PAPER = DATA / "paper"
RUN = ("method=random", "tracker=none", "pictures=false", "hydra.run.dir=run")


def harness(module, *arguments, cwd, **environment):
    known = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    known |= {"PYTHONPATH": os.getcwd(), "XDG_CACHE_HOME": str(cwd / "cache"), **environment}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True)


def summary(folder):
    return json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))


def test_chains_of_the_archive_are_fetched_once_verified_and_measured(tmp_path):
    server = Files()
    server.content["1ABC.cif.gz"] = gzip.compress(entry(QUERY, missing=(3,)).encode())
    chosen = ("dataset=pdb_chains", "dataset.chains=[1ABC_A,9GON_A]")
    with serving(server) as url:
        fetched = harness("harness.fetch", *chosen, f"dataset.structures.url={url}", cwd=tmp_path)
    assert fetched.returncode == 0, fetched.stderr
    assert "pdb_chains: " in fetched.stdout
    assert "left out, since they could not be built: 1, see" in fetched.stderr
    failed = (tmp_path / "outputs" / "failures" / "pdb_chains.csv").read_text(encoding="utf-8")
    assert "9GON is obsolete or was never there" in failed
    done = harness("harness", *chosen, *RUN, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["provenance"]["dataset_version"].startswith("pdb_chains-")
    assert "1ABC.cif.gz" in (tmp_path / "run" / "dataset.sha256").read_text(encoding="utf-8")
    good = ("dataset=pdb_chains", "dataset.chains=[1ABC_A]")
    assert harness("harness.fetch", "--verify", *good, cwd=tmp_path).returncode == 0
    (structure,) = (tmp_path / "cache").rglob("1ABC.cif.gz")
    structure.write_bytes(gzip.compress(entry(QUERY).encode()))
    changed = harness("harness.fetch", "--verify", *good, cwd=tmp_path)
    assert changed.returncode == 1
    assert "1ABC.cif.gz has changed since" in changed.stderr


def test_without_a_network_the_archive_explains_itself(tmp_path):
    chosen = ("dataset=pdb_chains", "dataset.chains=[1ABC_A]", "dataset.structures.offline=true")
    outcome = harness("harness", *chosen, *RUN, cwd=tmp_path)
    assert outcome.returncode == 1
    assert outcome.stderr.startswith("error: ")
    assert "offline mode forbids to fetch it" in outcome.stderr


@needs_data
def test_a_published_set_is_fetched_verified_and_measured(tmp_path):
    """CASP14's domains as published: their digests are pinned."""
    server, folder = Files(), DATA / "casp14_fm"
    for path in folder.rglob("*"):
        if path.is_file():
            server.content[str(path.relative_to(folder))] = path.read_bytes()
    with serving(server) as url:
        source = f"dataset.source.url={url}"
        fetched = harness("harness.fetch", "dataset=casp14_fm", source, cwd=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
    asked = len(server.requests)
    done = harness("harness", "dataset=casp14_fm", *RUN, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["run"]["contact_atom"] == "CA"
    assert summary(tmp_path)["cost"]["n_proteins"] == 16
    verified = harness("harness.fetch", "--verify", "dataset=casp14_fm", cwd=tmp_path)
    assert verified.returncode == 0, verified.stderr
    damaged = next((tmp_path / "cache").rglob("*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    verified = harness("harness.fetch", "--verify", "dataset=casp14_fm", cwd=tmp_path)
    assert verified.returncode == 1
    assert f"{damaged.name} has SHA-256" in verified.stderr
    assert len(server.requests) == asked


@needs_data
@pytest.mark.parametrize("name", ["zhang1431", "zhang_eval"])
def test_the_papers_chains_are_measured_with_structures_of_a_folder(tmp_path, name):
    server = Files()
    for file in ("full_seq_dict.json", "ss_dict.json"):
        server.content[file] = (PAPER / file).read_bytes()
    folder = ("dataset.structures.download=false", f"dataset.structures.folder={PAPER}/structures")
    with serving(server) as url:
        source = f"dataset.sequences.source.url={url}"
        chosen = (f"dataset={name}", source, *folder, "dataset.limit=3")
        done = harness("harness", *chosen, *RUN, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert summary(tmp_path)["cost"]["n_proteins"] == 3
    assert summary(tmp_path)["run"]["ranges"][0] == "long"
    failed = (tmp_path / "outputs" / "failures" / "zhang1431.csv").read_text(encoding="utf-8")
    assert "holds no file of" in failed
