"""A published model by its name, from a server that plays the hub, through the command line."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from tests.models import hub_folder
from tests.servers import Files, serving

NAME = "facebook/esm2_t48_15B_UR50D"  # the only one without any pinned digest


@pytest.fixture
def hub(tmp_path):
    """A tiny checkpoint in two shards, as the hub has the largest one."""
    files, folder = Files(), hub_folder(tmp_path / "hub")
    tensors = sorted(load_file(folder / "model.safetensors").items())
    names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    for n, name in enumerate(names):
        torch.save(dict(tensors[n::2]), folder / name)
    index = {"weight_map": {key: names[n % 2] for n, (key, _) in enumerate(tensors)}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "model.safetensors").unlink()
    for path in folder.iterdir():
        files.content[f"{NAME}/resolve/main/{path.name}"] = path.read_bytes()
    return files


def harness(module, *arguments, cwd, **environment):
    command = [sys.executable, "-m", module, "model=esm2_15b", *arguments]
    known = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    root = os.getcwd()
    known |= {"PYTHONPATH": root, "XDG_CACHE_HOME": str(cwd / "cache"), **environment}
    return subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True)


def test_a_model_by_its_name_is_fetched_verified_and_measured(tmp_path, hub):
    with serving(hub) as base:
        source = f"model.source.huggingface={base}"
        absent = harness("harness.fetch", "--verify", source, cwd=tmp_path)
        assert absent.returncode == 1
        assert "config.json is not there" in absent.stderr
        fetched = harness("harness.fetch", source, cwd=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
        assert "esm2_15b: " in fetched.stdout
    asked = len(hub.requests)
    assert asked == 4
    run = ["dataset.limit=1", "tracker=none", "pictures=false", "hydra.run.dir=run"]
    done = harness("harness", *run, cwd=tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    lock = (tmp_path / "weights.lock").read_text(encoding="utf-8")
    digests = summary["provenance"]["weights_sha256"].split("+")
    assert len(digests) == 3
    assert all(digest in lock for digest in digests)
    assert harness("harness.fetch", "--verify", cwd=tmp_path).returncode == 0
    assert len(hub.requests) == asked
