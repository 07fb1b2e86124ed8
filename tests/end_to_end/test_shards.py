"""One run cut into shards: merged they are the run that was not cut."""

import json
import shutil
from pathlib import Path

import pytest

from baselines.random_scores import RandomScores
from harness import models
from tests.builders import QUERY, pdb_of, put
from tests.shards import FEW, content, journal_of, named, shards_of

CHECKPOINT = Path(models.__file__).parent / "checkpoints" / "lattice_2x16.pt"
JACOBIAN = (
    FEW[0],
    "dataset.limit=4",
    "method=categorical_jacobian",
    "model=lattice_2x16",
    "model.device=cpu",
)
RECOVERY = (FEW[0], "method=contact_head", "model=lattice_2x16", "evaluation=recovery")
RECOVERY += ("masking=flank", "evaluation.targets.size=9", "evaluation.targets.margin=3")
RECOVERY += ("evaluation.at=[0,4]", "evaluation.targets.threshold=null")


@pytest.fixture
def groups(tmp_path):
    """A set of proteins of several lengths, in two groups."""
    lengths = {"a": 7, "b": 14, "c": 9, "d": 12, "e": 14}
    files = {f"{name}/structure.pdb": pdb_of(QUERY[:n]) for name, n in lengths.items()}
    files |= {f"{name}/msa.a3m": f">query\n{QUERY[:n]}\n" for name, n in lengths.items()}
    table = "id,tier\n" + "".join(f"{name},{'AB'[n % 2]}\n" for n, name in enumerate(lengths))
    folder = put(tmp_path / "set", files | {"groups.csv": table})
    given = (f"dataset.path={folder}", "dataset.groups=groups.csv", "dataset.group_column=tier")
    return ("dataset=folder", *given, "method=inverse_covariance", "dataset.limit=null")


@pytest.mark.parametrize(
    "arguments",
    [(*JACOBIAN, "save_scores=true", "pictures=true"), (*RECOVERY, "dataset.limit=4")],
    ids=["maps", "steps"],
)
def test_three_shards_are_the_whole(run, merge, tmp_path, arguments):
    whole, shards = run("whole", *arguments), shards_of(run, 3, *arguments)
    outcome = merge(named(shards[::-1]), f"into={tmp_path / 'merged'}")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.rstrip().endswith(f"run:     {tmp_path / 'merged'}")
    assert content(tmp_path / "merged") == content(whole)


def test_shards_of_groups_are_the_whole_with_its_groups(run, merge, groups, tmp_path):
    whole, shards = run("whole", *groups), shards_of(run, 2, *groups)
    assert merge(named(shards), f"into={tmp_path / 'merged'}").code == 0
    assert content(tmp_path / "merged") == content(whole)
    summary = json.loads((whole / "summary.json").read_text())
    assert {name: part["cost"]["n_proteins"] for name, part in summary["groups"].items()} == {
        "A": 3,
        "B": 2,
    }
    works = [sum(entry["length"] ** 2 for entry in journal_of(shard)) for shard in shards]
    assert works == [14**2 + 12**2, 14**2 + 9**2 + 7**2]  # the longest first, to the lighter one


def test_the_command_of_the_whole_finds_everything_done(run, merge, tmp_path, monkeypatch):
    shards = shards_of(run, 2, *FEW, "save_scores=true")
    for _ in range(2):
        assert merge(named(shards), f"into={tmp_path / 'merged'}").code == 0
    before = content(tmp_path / "merged")
    assert len([name for name in before[0] if name.startswith("scores/")]) == 5
    monkeypatch.setattr(RandomScores, "__call__", lambda self, protein: 1 / 0)
    assert content(run("merged", *FEW, "save_scores=true")) == before


def test_a_shard_goes_on_where_it_was_stopped(run, merge, command_line, tmp_path, monkeypatch):
    whole, asked = run("whole", *FEW), RandomScores.__call__
    with monkeypatch.context() as patch:
        patch.setattr(RandomScores, "__call__", _stopping_at("family02_00", asked))
        first = (f"hydra.run.dir={tmp_path / 'shard1'}", "dataset.shard=1/2")
        assert command_line(*FEW, *first).code == 130
    outcome = merge(f"shards=[{tmp_path / 'shard1'}]", f"into={tmp_path / 'merged'}")
    assert f"{tmp_path / 'shard1'}: shard 1/2 has not finished; run it again" in outcome.err
    assert merge(named(shards_of(run, 2, *FEW)), f"into={tmp_path / 'merged'}").code == 0
    assert content(tmp_path / "merged") == content(whole)


def test_a_shard_may_have_nothing_to_look_at(run, merge, tmp_path):
    path = tmp_path / "targets.json"
    path.write_text(json.dumps({"family03_00": [[3, 9, 12, 18]]}), encoding="utf-8")
    listed = ("evaluation/targets=listed", f"evaluation.targets.path={path}", "masking=flank")
    arguments = (*RECOVERY[:4], *listed, "dataset.limit=4")
    whole, shards = run("whole", *arguments), shards_of(run, 2, *arguments)
    assert merge(named(shards), f"into={tmp_path / 'merged'}").code == 0
    assert content(tmp_path / "merged") == content(whole)


def test_merging_takes_neither_weights_nor_data(run, merge, groups, tmp_path):
    weights = shutil.copy(CHECKPOINT, tmp_path)
    data = [item for item in groups if item.startswith("dataset")]
    model = ("model=esm2_local", f"model.path={weights}", "method=gradient_jacobian")
    agreement = ("evaluation=agreement", "evaluation/reference=categorical_jacobian")
    arguments = (*model, *agreement, *data)
    whole, shards = run("whole", *arguments), shards_of(run, 2, *arguments)
    Path(weights).unlink()
    shutil.rmtree(tmp_path / "set")
    outcome = merge(named(shards), f"into={tmp_path / 'merged'}")
    assert (outcome.code, outcome.err) == (0, "")
    assert content(tmp_path / "merged") == content(whole)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_what_is_no_shard_is_refused(command_line, shard):
    outcome = command_line(f"dataset.shard={shard}")
    assert outcome.code == 1
    assert f"error: dataset.shard is {shard}; allowed are null and k/n" in outcome.err
    assert "Traceback" not in outcome.err


def test_more_shards_than_proteins_are_refused(command_line):
    outcome = command_line("dataset.shard=3/3")
    assert outcome.code == 1
    assert "dataset.shard is 3/3, and the data set holds 2 proteins" in outcome.err


def test_a_folder_holds_one_shard(run, command_line, tmp_path):
    run("run", "dataset.shard=1/2")
    for other in ("dataset.shard=2/2", "dataset.shard=null"):
        outcome = command_line(other, f"hydra.run.dir={tmp_path / 'run'}")
        assert outcome.code == 1
        assert f"{tmp_path / 'run'}: holds another run (dataset.shard: 1/2 → " in outcome.err


def test_what_is_no_whole_run_is_refused(run, merge, tmp_path):
    first, second = shards_of(run, 2)
    whole, into = run("whole"), f"into={tmp_path / 'merged'}"
    for arguments, message in {
        (): "name what to merge: shards=[DIR,DIR,…] into=DIR, or sweep=DIR",
        (named([first, second]),): "say where the run goes: into=DIR",
        (named([first, whole]), into): f"{whole}: no folder of a shard",
        (named([first]), into): f"shard 2/2 is missing beside {first}",
        (named([first, first]), into): f"shard 1/2 is there twice: {first} and {first}",
        (named([first, second]), f"into={first}"): "holds another run (dataset.shard: 1/2 → absent",
        (f"sweep={whole}",): f"{whole}: no shard there",
    }.items():
        outcome = merge(*arguments)
        assert (outcome.code, outcome.err.count("\n")) == (1, 1), outcome.err
        assert message in outcome.err
    assert not (tmp_path / "merged" / "rows.csv").exists()


def _stopping_at(identifier, asked):
    def scores(self, protein):
        if protein.id == identifier:
            raise KeyboardInterrupt
        return asked(self, protein)

    return scores
