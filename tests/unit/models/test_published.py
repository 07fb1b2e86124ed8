import csv
import hashlib
import json
import time
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from safetensors.torch import load_file, save_file

from harness.configuration import CONFIG_FOLDER
from harness.errors import PrerequisiteError
from harness.models import published as module
from harness.models.esm2 import published
from harness.models.published import PublishedWeights
from harness.protocols import Fetched
from tests.models import SETTINGS_ESM2, hub_folder
from tests.servers import Files, serving

SMALL, LARGE = "esm2_t6_8M_UR50D", "esm2_t36_3B_UR50D"
DEFAULTS = OmegaConf.to_container(OmegaConf.load(Path(CONFIG_FOLDER, "weights.yaml")))


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    """No cache of the machine is looked at, and no retry waits."""
    for name in ("HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.fixture
def hub(tmp_path):
    """The files of one small model, as the servers have them."""
    files, folder = Files(), hub_folder(tmp_path / "hub")
    for path in folder.iterdir():
        files.content[f"facebook/{SMALL}/resolve/main/{path.name}"] = path.read_bytes()
    files.content[f"models/{SMALL}.pt"] = b"weights"
    files.content[f"regression/{SMALL}-contact-regression.pt"] = b"head"
    return files


@pytest.fixture
def base(hub):
    with serving(hub) as address:
        yield address


@pytest.fixture
def weights(tmp_path, base, monkeypatch):
    """The source of a model, with nothing pinned unless a test pins it."""

    def make(pins=None, **changes):
        table = module._published()
        files = {file: (pins or {}).get(file, "") for file in table[SMALL]}
        monkeypatch.setattr(module, "_published", lambda: table | {SMALL: files})
        settings = DEFAULTS | {"name": SMALL, "huggingface": base, "fair_esm": base}
        settings |= {"cache": str(tmp_path / "cache"), "lock": str(tmp_path / "weights.lock")}
        del settings["_target_"]
        return PublishedWeights(**(settings | changes))

    return make


def test_a_source_can_be_fetched_and_verified(weights):
    assert isinstance(weights(), Fetched)


def test_first_use_fetches_second_does_not(weights, hub):
    folder = weights().fetch()
    assert {path.name for path in folder.iterdir() if path.suffix != ".lock"} == {
        "config.json",
        "model.safetensors",
    }
    asked = len(hub.requests)
    assert weights().fetch() == folder
    assert len(hub.requests) == asked == 2


@pytest.mark.parametrize("layout", ["huggingface", "fair_esm"])
def test_a_slash_at_the_end_of_an_address_is_no_matter(weights, base, layout):
    slashed = {"huggingface": f"{base}/", "fair_esm": f"{base}/"}
    assert weights(layout=layout, **slashed).fetch().exists()


def test_a_published_model_runs(weights):
    model = published(weights(), **SETTINGS_ESM2)
    assert model.n_layers == 1


def test_a_wrong_byte_is_caught(weights):
    with pytest.raises(PrerequisiteError, match=r"is not the file that was expected: its SHA-256"):
        weights({"model.safetensors": "0" * 64}).fetch()


def test_what_is_not_pinned_is_recorded_and_compared(weights, tmp_path):
    folder = weights().fetch()
    lines = (tmp_path / "weights.lock").read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in lines] == [
        f"facebook/{SMALL}/config.json",
        f"facebook/{SMALL}/model.safetensors",
    ]
    assert weights().verify() == []
    tensors = load_file(folder / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, folder / "model.safetensors")
    assert "model.safetensors has SHA-256" in weights().verify()[0]
    with pytest.raises(PrerequisiteError, match="move the file away, then fetch it again"):
        published(weights(), **SETTINGS_ESM2)


def test_what_is_absent_is_said(weights):
    problems = weights().verify()
    assert len(problems) == 2
    assert all(problem.endswith("is not there") for problem in problems)


def test_a_snapshot_of_the_hubs_cache_comes_before_any_download(
    weights, hub, tmp_path, monkeypatch
):
    for variable, hub_cache in (("HF_HOME", "home/hub"), ("HF_HUB_CACHE", "other")):
        snapshot = tmp_path / hub_cache / f"models--facebook--{SMALL}" / "snapshots" / "abc"
        snapshot.parent.mkdir(parents=True)
        hub_folder(snapshot)
        monkeypatch.setenv(variable, str(tmp_path / hub_cache.removesuffix("/hub")))
        assert weights().fetch() == snapshot
    assert hub.requests == []


def test_an_incomplete_snapshot_is_not_taken(weights, tmp_path, monkeypatch):
    snapshot = tmp_path / "hub_cache" / f"models--facebook--{SMALL}" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub_cache"))
    assert weights().fetch() != snapshot


def test_fair_esms_files_go_where_fair_esm_looks(weights, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    path = weights(layout="fair_esm").fetch()
    assert path == tmp_path / "torch" / "hub" / "checkpoints" / f"{SMALL}.pt"
    assert path.with_name(f"{SMALL}-contact-regression.pt").read_bytes() == b"head"
    asked = len(hub.requests)
    assert weights(layout="fair_esm").fetch() == path
    assert len(hub.requests) == asked == 2
    assert weights(layout="fair_esm").verify() == []


def test_shards_are_fetched_as_the_index_names_them(weights, hub, base):
    site = f"facebook/{LARGE}/resolve/main"
    index = {"weight_map": {"a": "one.bin", "b": "two.bin"}}
    hub.content[f"{site}/config.json"] = b"{}"
    hub.content[f"{site}/pytorch_model.bin.index.json"] = json.dumps(index).encode()
    hub.content |= {f"{site}/one.bin": b"1", f"{site}/two.bin": b"2"}
    folder = weights(name=LARGE).fetch()
    assert (folder / "one.bin").read_bytes() + (folder / "two.bin").read_bytes() == b"12"


@pytest.mark.parametrize("switch", ["configuration", "environment"])
def test_offline_explains_itself(weights, monkeypatch, switch):
    if switch == "environment":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    source = weights(offline=switch == "configuration")
    with pytest.raises(PrerequisiteError, match=r"config\.json is not there, and offline mode"):
        source.fetch()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [({"layout": "hf"}, "layout is 'hf'; allowed are"), ({"name": "esm3"}, "name is 'esm3'; allo")],
)
def test_another_layout_or_name_is_refused(weights, changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        weights(**changes)


def test_every_pin_is_a_digest_with_a_source():
    with module._TABLE.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            assert not row["sha256"] or (len(row["sha256"]) == 64 and row["source"])


def test_every_model_of_the_table_has_a_configuration():
    texts = [path.read_text("utf-8") for path in Path(CONFIG_FOLDER, "model").glob("*.yaml")]
    assert all(any(f"name: {name}" in text for text in texts) for name in module._published())


def test_digests_of_the_same_bytes_are_the_same(weights, hub):
    folder = weights().fetch()
    body = hub.content[f"facebook/{SMALL}/resolve/main/model.safetensors"]
    pin = hashlib.sha256(body).hexdigest()
    assert weights({"model.safetensors": pin}).verify() == []
    assert folder.name == SMALL
