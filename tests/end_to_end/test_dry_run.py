"""What a command would cost, said beforehand; and compared with what it took."""

import json

import pandas as pd
import pytest
from omegaconf import OmegaConf

from harness.models import esm2
from harness.pace import read_pace
from harness.results import read_summary

SMALL = ("model=lattice_2x16", "method=masked_jacobian", "dataset.limit=2")


@pytest.fixture
def place(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def dry(command_line, tmp_path, monkeypatch):
    """A function that plans with these arguments; nothing may be written, no weights read."""

    def run(*arguments):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        with monkeypatch.context() as patch:
            patch.setattr(esm2, "load_checkpoint", lambda *_: pytest.fail("weights are read"))
            outcome = command_line("--dry-run", "plan.product_seconds=0.001", *arguments)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        return outcome

    return run


def lines(outcome):
    """The cells of the table, two spaces apart, by what the job is called."""
    rows = [line.split("  ") for line in outcome.out.splitlines() if "  " in line.strip()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    return {row[0]: row[1:] for row in cells}


def test_a_run_is_planned_and_nothing_is_written_or_loaded(dry):
    outcome = dry(*SMALL)
    assert (outcome.code, outcome.err) == (0, "")
    proteins, passes, _, _, memory, source = lines(outcome)["masked_jacobian lattice_2x16"]
    assert (proteins, passes) == ("2", "56")
    assert memory.endswith("MB")
    assert source.startswith("matrix product")


def test_a_sweep_has_a_line_a_job_and_sums(dry):
    outcome = dry("-m", "model=lattice_2x16,lattice_4x128", "method=attention,separation")
    assert outcome.code == 0, outcome.err
    found = lines(outcome)
    assert found["attention lattice_4x128"][:2] == ["2", "2.0"]
    assert found["separation"][-1] == "unknown: no earlier run"
    assert found["all"][:2] == ["8", "4.0"]


def test_an_experiment_is_planned_whatever_it_varies(dry):
    outcome = dry("experiment=pareto", "method=glob(*attention)")
    assert outcome.code == 0, outcome.err
    assert {"attention lattice_4x128", "raw_attention lattice_4x128"} < set(lines(outcome))


def test_published_models_are_planned_without_their_weights(dry):
    outcome = dry("-m", "model=esm2_3b,esm1b", "method=categorical_jacobian", "dataset.limit=1")
    assert outcome.code == 0, outcome.err
    assert lines(outcome)["categorical_jacobian esm2_3b"][:3] == ["1", "514", "85 T"]


def test_the_rate_of_another_machine_can_be_given(dry):
    far = ("model=esm2_8m", "method=masked_jacobian", "model.device=cuda:3")
    outcome = dry(*far, "plan.flops_per_second=1e9")
    assert outcome.code == 0, outcome.err
    (row,) = (row for job, row in lines(outcome).items() if job.startswith("masked_jacobian"))
    assert row[3:] == ["25 s", "2.7 GB", "plan.flops_per_second"]


def test_it_is_said_when_nobody_knows_how_often_a_method_is_asked(dry):
    outcome = dry("evaluation=recovery_short", "method=contact_head", "model=lattice_2x16")
    assert outcome.code == 0, outcome.err
    assert lines(outcome)["contact_head lattice_2x16"][1:3] == ["–", "–"]
    assert "how often the method is asked" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["method=no_such"], "Could not find 'method/no_such'"),
        (["method=attention", "method.head=1", "model=lattice_2x16"], "head is 1"),
        (["method=attention", "model=potts"], "needs a model that ExposesAttention"),
        (["method=attention", "model=esm2_local"], "model.path is not set"),
        (["method=attention", "model.dtype=int8"], "model.dtype is int8"),
        (["dataset=folder"], "dataset.path is not set"),
        (["--cfg", "job"], "not with --cfg"),
        (["method=random,separation"], "Ambiguous value"),
        (["nonsense=1"], "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_would_fail_fails_now(dry, arguments, message):
    outcome = dry(*arguments)
    assert outcome.code == 1
    assert message in outcome.err
    assert "Traceback" not in outcome.out + outcome.err


def test_a_bad_job_is_named_and_the_others_are_planned(dry):
    outcome = dry("-m", "method=inverse_covariance", "method.depth=junk,4")
    assert outcome.code == 1
    assert "inverse_covariance depth=4" in lines(outcome)
    assert "1 of the jobs cannot be planned" in outcome.err
    assert "depth is junk" in outcome.err


def test_what_is_done_already_is_left_out_and_its_pace_is_used(command_line, dry, place):
    given = (*SMALL, f"hydra.run.dir={place}")
    assert command_line(*given).code == 0
    journal = place / "proteins.jsonl"
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])
    row = lines(dry(*given))["masked_jacobian lattice_2x16"]
    assert row[:2] == ["1 (1 done)", "28"]
    assert row[-1] == "1 earlier run"


def test_a_folder_of_another_run_is_refused(command_line, dry, place):
    assert command_line(*SMALL, f"hydra.run.dir={place}").code == 0
    outcome = dry(*SMALL, f"hydra.run.dir={place}", "method.apc=false")
    assert outcome.code == 1
    assert "holds another run" in outcome.err


def test_a_run_says_how_right_its_plan_was(command_line, place, tmp_path):
    outcome = command_line(*SMALL, f"hydra.run.dir={place}")
    assert outcome.code == 0, outcome.err
    assert "planned " in outcome.out
    content = json.loads((place / "plan.json").read_text())
    assert content["planned"]["passes"] == read_summary(place)["cost"]["forward_passes"]
    assert content["planned"]["tokens"] == read_summary(place)["cost"]["tokens"]
    assert content["measured"]["seconds"] > content["measured"]["method_seconds"] > 0
    assert "plan" not in OmegaConf.load(place / "config.yaml")
    (pace,) = read_pace(tmp_path / "outputs" / "pace.csv")
    assert (pace.kind.model, pace.proteins) == ("lattice_2x16", 2)


def test_a_run_that_goes_on_plans_what_is_left(command_line, place):
    given = (*SMALL, f"hydra.run.dir={place}")
    assert command_line(*given).code == 0
    kept = (place / "plan.json").read_bytes()
    assert command_line(*given).code == 0
    assert (place / "plan.json").read_bytes() == kept  # nothing was left
    journal = place / "proteins.jsonl"
    journal.write_text(journal.read_text().splitlines(keepends=True)[0])
    assert command_line(*given).code == 0
    planned = json.loads((place / "plan.json").read_text())["planned"]
    assert (planned["proteins"], planned["finished"]) == (1, 1)


def test_a_sweep_compares_plans_with_what_its_jobs_took(command_line, place):
    outcome = command_line("-m", f"hydra.sweep.dir={place}", "method=random,separation")
    assert outcome.code == 0, outcome.err
    assert "planned" not in outcome.out  # neither was known before
    assert command_line("-m", f"hydra.sweep.dir={place}2", "method=random,separation").code == 0
    table = pd.read_csv(place.with_name("runs2") / "plan.csv")
    assert set(table["run"]) == {"random", "separation"}
    assert (table["seconds_ratio"] > 0).all()


def test_a_quiet_run_plans_nothing(command_line, place, tmp_path):
    outcome = command_line("quiet=true", f"hydra.run.dir={place}")
    assert (outcome.code, outcome.out) == (0, f"{place}\n")
    assert not (place / "plan.json").exists()
    assert len(read_pace(tmp_path / "outputs" / "pace.csv")) == 1
