"""Whatever is wrong, the user reads one message that says what to do, and the exit code is 1."""

import pickle
import zipfile
from pathlib import Path

import pytest
import torch

from harness.configuration import CONFIG_FOLDER
from harness.models import esm2
from harness.results import read_rows
from tests.builders import pdb_of, put

CHECKPOINT = Path(esm2.__file__).parent / "checkpoints" / "lattice_2x16.pt"
MODEL = ("method=categorical_jacobian", "model=esm2_local")
SMALL = ("method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["contact=cb9"], "contact='cb9'; allowed are cb8, ca8, cb10"),
        (["evaluation.ranges=[far]"], "range 'far'; allowed are short, medium, long"),
        (["dataset.limit=0"], "dataset.limit is 0; allowed are 1 and more, or null"),
        (["dataset.limit=-1"], "dataset.limit is -1"),
        (["dataset.ids=[../x]"], "dataset.ids: ['../x'] unknown; there are family00_00"),
        (["save_scores=maybe"], "save_scores is maybe; allowed are true and false"),
        (["statistics.level=2"], "level between 0 and 1"),
        (["method=inverse_covariance", "method.depth=0"], "depth is 0"),
        (["hydra.run.dir=/proc/no/where"], "cannot write here"),
        ([*MODEL], "model.path is not set: add model.path=VALUE"),
        ([*MODEL, "model.path=/no/where.pt"], "/no/where.pt: no such checkpoint"),
        ([*SMALL, "model.device=gpu"], "allowed are auto, cpu, cuda"),
        ([*SMALL, "model.dtype=float8"], "dtype is 'float8'; allowed are float32, bfloat16, float"),
        ([*SMALL, "model.tokens_per_batch=0"], "tokens_per_batch is 0; it must be positive"),
        ([*SMALL, "model.context=26"], "27 residues is beyond the context of 26"),
        ([*SMALL, "method.substitutes=AA"], "substitutes is 'AA'; allowed are all, mask, and"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_a_wrong_value_is_one_message_and_no_traceback(command_line, overrides, message):
    outcome = command_line(*overrides)
    assert outcome.code == 1
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["dataset=folder"], "dataset.path is not set: add dataset.path=VALUE"),
        (["dataset=folder", "dataset.path=/no/where"], "/no/where is no folder"),
    ],
)
def test_a_folder_of_proteins_that_is_not_there_is_asked_for(command_line, overrides, message):
    outcome = command_line(*overrides)
    assert (outcome.code, message in outcome.err) == (1, True), outcome.err


@pytest.mark.parametrize("group", ["method", "model", "dataset", "masking", "evaluation"])
def test_an_unknown_choice_is_answered_with_the_known_ones(command_line, group):
    outcome = command_line(f"{group}=no_such_thing")
    assert outcome.code == 1
    assert f"Could not find '{group}/no_such_thing'" in outcome.err
    known = {path.stem for path in Path(CONFIG_FOLDER, group).glob("*.yaml")}
    assert known
    assert known <= set(outcome.err.split())


def test_no_range_at_all_is_refused(command_line):
    outcome = command_line("dataset.ranges=[]")
    assert outcome.code == 1
    assert "ranges is empty; name at least one of" in outcome.err


def test_an_unknown_parameter_is_named(command_line):
    outcome = command_line("method.no_such_parameter=1")
    assert outcome.code == 1
    assert "Could not override 'method.no_such_parameter'" in outcome.err


def test_a_truncated_checkpoint_is_refused(command_line, tmp_path):
    (tmp_path / "cut.pt").write_bytes(CHECKPOINT.read_bytes()[:-1000])
    outcome = command_line(*MODEL, f"model.path={tmp_path / 'cut.pt'}")
    assert outcome.code == 1
    assert "cut.pt: cannot be read as a checkpoint" in outcome.err
    assert "it may be truncated" in outcome.err


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def plain_pickle(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))  # the one that torch expects


@pytest.mark.parametrize("save", [torch.save, plain_pickle])
def test_code_in_a_checkpoint_is_never_run(command_line, tmp_path, save):
    evil, trace = tmp_path / "evil.pt", tmp_path / "trace"
    save({"cfg": {}, "model": Payload(trace)}, evil)
    assert zipfile.is_zipfile(evil) == (save is torch.save)
    outcome = command_line(*MODEL, f"model.path={evil}")
    assert outcome.code == 1
    assert "evil.pt: refused" in outcome.err
    assert not trace.exists()


def test_a_file_in_the_place_of_the_outputs_is_named(command_line, tmp_path):
    (tmp_path / "outputs").touch()
    outcome = command_line()
    assert outcome.code == 1
    assert "cannot write here (Not a directory)" in outcome.err


def test_a_folder_of_another_run_is_left_as_it_is(command_line, tmp_path):
    place = f"hydra.run.dir={tmp_path / 'run'}"
    assert command_line(place).code == 0
    kept = [path for path in (tmp_path / "run").iterdir() if path.suffix != ".log"]
    before = {path.name: path.read_bytes() for path in kept}
    outcome = command_line(place, "method=separation", "dataset.seed=1")
    assert outcome.code == 1
    assert "holds another run (method: random → separation" in outcome.err
    assert "dataset.seed: 0 → 1" in outcome.err
    assert {path.name: path.read_bytes() for path in kept} == before
    assert not (tmp_path / "run" / "unfinished.txt").exists()


def test_a_protein_of_one_residue_is_measured_without_a_score(command_line, tmp_path):
    """It has no pair, so nothing can be right or wrong: not a number, and counted as unscored."""
    put(tmp_path / "proteins", {"p/sequence.fasta": ">p\nM\n", "p/structure.pdb": pdb_of("M")})
    place = ("dataset=folder", f"dataset.path={tmp_path / 'proteins'}", "dataset.limit=null")
    outcome = command_line(*SMALL, *place, f"hydra.run.dir={tmp_path / 'run'}")
    assert (outcome.code, outcome.err) == (0, "")
    rows = read_rows(tmp_path / "run")
    assert rows["value"].isna().all()
