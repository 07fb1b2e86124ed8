"""One run cut into shards: merged they are the run that was not cut."""

import json

import pytest

from baselines.random_scores import RandomScores
from tests.builders import QUERY, pdb_of, put

MEASURED = ("seconds", "seconds_per_protein", "peak_memory_bytes", "peak_device_bytes")
PASSING = {"harness.log", ".lock", "proteins.jsonl", "summary.json", "curves.svg", "curves.pdf"}
"""Files that hold times or are compared by their content."""

FEW = ("statistics.resamples=100", "dataset.limit=5")
JACOBIAN = (*FEW, "method=categorical_jacobian", "model=lattice_2x16", "model.device=cpu")
RECOVERY = (*FEW, "method=contact_head", "model=lattice_2x16", "evaluation=recovery")
RECOVERY += ("masking=flank", "evaluation.targets.size=9", "evaluation.targets.margin=3")
RECOVERY += ("evaluation.at=[0,4]", "evaluation.targets.threshold=null", "pictures=true")


@pytest.fixture
def merge(in_process, tmp_path):
    """A function that runs python -m harness.merge with these arguments."""
    from harness.merge import main

    return lambda *given: in_process(
        main, [f"outputs={tmp_path}/outputs", "tracker=none", *map(str, given)]
    )


@pytest.fixture
def run(command_line, tmp_path):
    """A function that makes the folder of that name by a run with these arguments."""

    def make(name, *arguments):
        outcome = command_line(*arguments, f"hydra.run.dir={tmp_path / name}")
        assert outcome.code == 0, outcome.err
        return tmp_path / name

    return make


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


def shards_of(run, n, *arguments):
    return [run(f"shard{k}", *arguments, f"dataset.shard={k}/{n}") for k in range(1, n + 1)]


def named(folders):
    return "shards=[" + ",".join(map(str, folders)) + "]"


def journal_of(folder):
    lines = (folder / "proteins.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def content(folder):
    """Everything in a run folder that is the same however long it took."""
    paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    files = {name: path.read_bytes() for name, path in paths.items() if name not in PASSING}
    journal = journal_of(folder)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    costs = [*journal, summary["cost"], *(part["cost"] for part in summary["groups"].values())]
    for costly in costs:
        for key in MEASURED:
            costly.pop(key, None)
    return files, journal, summary


@pytest.mark.parametrize(
    "arguments", [(*JACOBIAN, "save_scores=true", "pictures=true"), RECOVERY], ids=["maps", "steps"]
)
def test_three_shards_are_the_whole(run, merge, tmp_path, arguments):
    whole, shards = run("whole", *arguments), shards_of(run, 3, *arguments)
    for _ in range(2):
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


@pytest.mark.parametrize("n", [1, 5])
def test_a_sweep_over_shards_merges_them_by_itself(run, command_line, tmp_path, n):
    whole, sweep = run("whole", *FEW), tmp_path / "sweep"
    shards = ",".join(f"{k}/{n}" for k in range(1, n + 1))
    outcome = command_line("-m", *FEW, f"dataset.shard={shards}", f"hydra.sweep.dir={sweep}")
    assert (outcome.code, outcome.err) == (0, "")
    assert content(sweep / "random") == content(whole)
    assert (sweep / "comparison.csv").read_text().count("random,") > 1
    assert "shard=" not in (sweep / "comparison.csv").read_text()


def test_runs_of_a_sweep_are_compared_whole(command_line, tmp_path):
    sweep = tmp_path / "sweep"
    arguments = ("method=random,separation", "dataset.shard=1/2,2/2", *FEW)
    outcome = command_line("-m", *arguments, f"hydra.sweep.dir={sweep}")
    assert (outcome.code, outcome.err) == (0, "")
    (line, *_) = (sweep / "differences.csv").read_text().splitlines()[1:]
    assert line.startswith("separation,random,")
    assert {path.name for path in sweep.iterdir() if path.is_dir()} == {
        *("0", "1", "2", "3"),
        *("random", "separation"),
    }


def test_the_command_of_the_whole_finds_everything_done(run, merge, tmp_path, monkeypatch):
    shards = shards_of(run, 2, *FEW)
    assert merge(named(shards), f"into={tmp_path / 'merged'}").code == 0
    before = content(tmp_path / "merged")
    monkeypatch.setattr(RandomScores, "__call__", lambda self, protein: 1 / 0)
    assert content(run("merged", *FEW)) == before


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


def test_a_sweep_whose_shard_failed_keeps_the_others_and_goes_on(
    run, command_line, tmp_path, monkeypatch
):
    sweep, asked = tmp_path / "sweep", RandomScores.__call__
    line = ("-m", *FEW, "dataset.shard=1/2,2/2", f"hydra.sweep.dir={sweep}")
    with monkeypatch.context() as patch:
        patch.setattr(RandomScores, "__call__", _failing_at("family02_00", asked))
        outcome = command_line(*line)
    assert outcome.code == 1
    assert outcome.err.startswith("error: 1 job failed; the same command with hydra.sweep.dir=")
    assert outcome.err.endswith("\n  random: not merged without shard 1/2\n")
    assert not (sweep / "random").exists()
    kept = (sweep / "1" / "rows.csv").read_bytes()
    assert command_line(*line).code == 0
    assert (sweep / "1" / "rows.csv").read_bytes() == kept
    assert content(sweep / "random") == content(run("whole", *FEW))


def test_shards_of_two_sweeps_are_found_below_their_folder(run, merge, command_line, tmp_path):
    for shards, name in (("1/3,2/3", "here"), ("3/3", "there")):
        place = f"hydra.sweep.dir={tmp_path / 'all' / name}"
        outcome = command_line("-m", *FEW, f"dataset.shard={shards}", place)
        assert outcome.code == 0, outcome.err
        assert "random: not merged without shard" in outcome.out
    outcome = merge(f"sweep={tmp_path / 'all'}")
    assert (outcome.code, outcome.err) == (0, "")
    assert content(tmp_path / "all" / "random") == content(run("whole", *FEW))


def test_a_shard_may_have_nothing_to_look_at(run, merge, tmp_path):
    path = tmp_path / "targets.json"
    path.write_text(json.dumps({"family03_00": [[3, 9, 12, 18]]}), encoding="utf-8")
    listed = ("evaluation/targets=listed", f"evaluation.targets.path={path}", "masking=flank")
    arguments = (*RECOVERY[:5], *listed, "dataset.limit=4")
    whole, shards = run("whole", *arguments), shards_of(run, 2, *arguments)
    assert merge(named(shards), f"into={tmp_path / 'merged'}").code == 0
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


def _failing_at(identifier, asked):
    return lambda self, protein: asked(self, protein) if protein.id != identifier else 1 / 0
