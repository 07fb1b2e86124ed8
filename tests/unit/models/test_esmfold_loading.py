"""The weights of ESMFold: every layout that is published, and whatever can be wrong with one."""

import builtins
import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from harness.digests import digest
from harness.errors import InputError, PrerequisiteError
from harness.models import esmfold_loading as loading
from harness.models.esmfold import published_esmfold
from tests.folding import PROTEIN, SETTINGS, esmfold_folder, loaded, random_esmfold, save_esmfold


@pytest.fixture
def copied(tmp_path):
    """A copy of the checkpoint that a test may break."""
    folder = tmp_path / "esmfold"
    folder.mkdir()
    for path in esmfold_folder().iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


class TestLoading:
    @pytest.mark.parametrize("options", [{}, {"max_shard_size": "50KB"}], ids=["whole", "shards"])
    def test_every_layout_gives_the_same(self, tmp_path, options):
        folder = save_esmfold(random_esmfold(), tmp_path / "x", **options)
        np.testing.assert_array_equal(loaded(folder).fold(PROTEIN).pae, loaded().fold(PROTEIN).pae)

    def test_a_pickled_checkpoint_as_published(self, copied):
        weights = load_file(copied / "model.safetensors")
        unused = [name for name in weights if name.startswith("esm.contact_head.")]
        assert len(unused) == 2  # the published file lacks them
        torch.save(
            {k: v for k, v in weights.items() if k not in unused}, copied / "pytorch_model.bin"
        )
        (copied / "model.safetensors").unlink()
        np.testing.assert_array_equal(loaded(copied).fold(PROTEIN).pae, loaded().fold(PROTEIN).pae)

    def test_the_fingerprint_is_that_of_the_files(self, copied):
        model = loaded(copied)
        files = (copied / "config.json", copied / "model.safetensors")
        assert model.fingerprint == "+".join(map(digest, files))
        assert model.n_parameters == sum(x.numel() for x in random_esmfold().parameters())

    @pytest.mark.parametrize("dtype", ["float32", "float16"])
    def test_the_trunk_is_in_float32_whatever_the_folder_states(self, copied, dtype):
        """Transformers would load all of it in the precision that config.json names."""
        config = json.loads((copied / "config.json").read_text())
        (copied / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
        found, expected = (loaded(path, dtype=dtype).fold(PROTEIN) for path in (copied, None))
        np.testing.assert_array_equal(found.pae, expected.pae)

    def test_a_pickle_runs_no_code(self, copied, tmp_path):
        class Harmful:
            def __reduce__(self):
                return (type(tmp_path).touch, (tmp_path / "harm",))

        (copied / "model.safetensors").unlink()
        (copied / "pytorch_model.bin").write_bytes(pickle.dumps(Harmful(), protocol=2))
        with pytest.raises(InputError, match="not readable as ESMFold"):
            loaded(copied)
        assert not (tmp_path / "harm").exists()

    def test_a_weight_that_is_missing_is_not_drawn(self, copied):
        weights = load_file(copied / "model.safetensors")
        del weights["trunk.blocks.0.mlp_seq.mlp.1.weight"], weights["ptm_head.bias"]
        save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
        message = r"2 weights do not fit ESMFold: ptm_head.bias is missing; trunk.blocks.0.mlp"
        with pytest.raises(InputError, match=message):
            loaded(copied)

    def test_a_weight_of_another_shape(self, copied):
        weights = load_file(copied / "model.safetensors")
        weights["ptm_head.bias"] = torch.zeros(7)
        save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
        with pytest.raises(InputError, match=r"not readable as ESMFold|ptm_head.bias has another"):
            loaded(copied)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("{", r"config.json: not readable"),
            ("[]", r"config.json: not readable"),
            ('{"model_type": "esm", "vocab_size": 33}', r"a language model without a folding"),
        ],
    )
    def test_another_configuration(self, copied, content, message):
        (copied / "config.json").write_text(content)
        with pytest.raises(InputError, match=message):
            loaded(copied)

    def test_a_truncated_file(self, copied):
        path = copied / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(InputError, match="not readable as ESMFold"):
            loaded(copied)

    def test_nothing_is_there(self, tmp_path):
        with pytest.raises(PrerequisiteError, match="no such checkpoint"):
            loaded(tmp_path / "none")
        (tmp_path / "empty").mkdir()
        with pytest.raises(PrerequisiteError, match=r"holds none of model.safetensors"):
            loaded(tmp_path / "empty")

    def test_without_transformers(self, monkeypatch):
        real = builtins.__import__

        def absent(name, *rest):
            if name == "transformers":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", absent)
        with pytest.raises(PrerequisiteError, match=r"pip install .* '\.\[esmfold\]'"):
            loaded()

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"dtype": "int8"}, "dtype is 'int8'; allowed are float32, float16, bfloat16"),
            ({"chunk_size": 0}, "chunk_size is 0; allowed are 1 and more, or null"),
            ({"recycles": -1}, "recycles is -1; allowed are 0 and more, or null"),
        ],
    )
    def test_wrong_values(self, changes, message):
        with pytest.raises(ValueError, match=message):
            loaded(**changes)

    def test_weights_that_do_not_fit_are_not_read(self, monkeypatch):
        asked = []

        def refuse(needed, device, what, instead):
            asked.append((needed, what))
            raise PrerequisiteError(f"{what}: {instead}")

        monkeypatch.setattr(loading, "require_memory", refuse)
        with pytest.raises(PrerequisiteError, match=r"ESMFold: use model.dtype=float16"):
            loaded()
        assert asked == [(4 * loaded_parameters(), "ESMFold")]


def loaded_parameters():
    return sum(x.numel() for x in random_esmfold().parameters())


@pytest.mark.usefixtures("unchecked")
def test_the_published_model_is_verified_against_what_was_recorded(copied):
    class Source:
        layout = "huggingface"

        def fetch(self):
            return copied

        def require(self, fingerprint):
            self.seen = fingerprint

    source = Source()
    model = published_esmfold(source, **SETTINGS)
    assert source.seen == model.fingerprint
    source.layout = "fair_esm"
    with pytest.raises(ValueError, match="layout is 'fair_esm'; ESMFold is read as the hub"):
        published_esmfold(source, **SETTINGS)


def test_the_published_configuration_is_understood(tmp_path):
    """The shape of esmfold_v1 (48 blocks, 3 B stem), built without weights."""
    from transformers import EsmConfig, EsmForProteinFolding

    config = json.loads((esmfold_folder() / "config.json").read_text())
    config |= {"hidden_size": 2560, "num_hidden_layers": 36, "num_attention_heads": 40}
    config |= {"intermediate_size": 10240}
    config["esmfold_config"] = {"esm_type": "esm2_3B", "fp16_esm": True, "lddt_head_hid_dim": 128}
    with torch.device("meta"):
        network = EsmForProteinFolding(EsmConfig(**config))
    stem = sum(x.numel() for n, x in network.named_parameters() if n.startswith("esm."))
    rest = sum(x.numel() for x in network.parameters()) - stem
    published_bytes = 8_442_062_570  # of pytorch_model.bin, as the hub lists it
    assert 2 * stem + 4 * rest == pytest.approx(published_bytes, rel=0.01)
