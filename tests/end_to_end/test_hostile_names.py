"""Names that are paths, HTML or commands: refused, or shown as they are."""

import json
import re

import pytest

from harness import regress
from harness.datasets.contact_maps import ContactMaps
from harness.datasets.structure_files import split
from harness.errors import InputError
from harness.mlflow_run import ending_note
from harness.sides import read_side, write_frozen
from tests.builders import folder_dataset, pdb_of, put

HTML = "<img src=x onerror=alert(1)>"
ONE = {"p/sequence.fasta": ">p\nMKTAYIAKGRQISF\n", "p/structure.pdb": pdb_of()}
PATHS = ["../p", "/etc/passwd", "..", HTML]


@pytest.fixture
def gate(in_process, tmp_path, monkeypatch):
    """A function that runs the gate in this process; frozen references are below tmp_path."""
    monkeypatch.setattr(regress, "FROZEN", tmp_path / "frozen")
    place = ("tracker=none", f"outputs={tmp_path / 'out'}")
    return lambda *arguments: in_process(regress.main, [*arguments, *place])


@pytest.fixture
def measured(command_line, tmp_path):
    """The folder of a small run."""
    assert command_line(f"hydra.run.dir={tmp_path / 'run'}").code == 0
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/../../x", HTML])
def test_a_frozen_reference_is_not_written_or_read_elsewhere(gate, measured, tmp_path, name):
    before = sorted(tmp_path.parent.iterdir())
    for line in ((f"candidate={measured}", f"freeze='{name}'"), (f"reference='{name}'",)):
        outcome = gate(*line)
        assert outcome.code == 1
        assert "is no name of a frozen reference" in outcome.err
    assert not (tmp_path / "frozen").exists()
    assert sorted(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    "evil",
    [
        "statistics._target_=os.system",
        "+method.x={_target_:os.system,command:touch}",
        "hydra.callbacks.evil._target_=os.system",
        "hydra/launcher=evil",
        "--config-dir=/tmp",
        "-cd",
    ],
)
def test_a_frozen_reference_runs_nothing_but_methods(gate, measured, tmp_path, evil, monkeypatch):
    monkeypatch.setattr(regress.subprocess, "run", lambda *_, **__: pytest.fail("it was run"))
    write_frozen(tmp_path / "evil.json", read_side(measured), ["method=random", evil])
    outcome = gate(f"reference={tmp_path / 'evil.json'}")
    assert outcome.code == 1
    assert "which can run any code, so it is not run again from a file" in outcome.err


@pytest.mark.parametrize("name", PATHS)
def test_ids_of_a_command_line_are_no_paths(command_line, tmp_path, name):
    place = ("dataset=folder", f"dataset.path={put(tmp_path / 'set', ONE)}", "dataset.limit=null")
    outcome = command_line(*place, f"dataset.ids=['{name}']")
    assert (outcome.code, outcome.err.startswith("error: ")) == (1, True)
    assert "cannot name a protein" in outcome.err


def test_a_folder_whose_name_is_html_is_refused(tmp_path):
    (tmp_path / "set" / HTML).mkdir(parents=True)
    with pytest.raises(InputError, match="cannot name a protein"):
        folder_dataset(tmp_path / "set").protein_ids  # noqa: B018


@pytest.mark.parametrize("name", PATHS)
def test_names_in_a_list_of_chains_are_no_paths(name):
    with pytest.raises(InputError, match="names no chain"):
        split(name)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("name", PATHS)
def test_names_in_a_file_of_sequences_are_no_paths(tmp_path, name):
    put(tmp_path, {"sequences.fasta": f">{name}\nMK\n"})
    maps = ContactMaps(str(tmp_path), None, "ca8", ["long"], None, None, 0, None, 0)
    with pytest.raises(InputError, match="cannot name a protein"):
        maps.protein_ids  # noqa: B018


@pytest.mark.parametrize("name", ["../p", "/etc/passwd"])
def test_a_table_with_paths_for_ids_names_nobody(command_line, tmp_path, name):
    place = put(tmp_path / "set", ONE | {"manifest.csv": f"id,chain\n{name},A\np,A\n"})
    line = ("dataset=folder", f"dataset.path={place}", "dataset.limit=null")
    outcome = command_line(*line, f"hydra.run.dir={tmp_path / 'run'}")
    done = (tmp_path / "run" / "proteins.jsonl").read_text()
    assert (outcome.code, [json.loads(line)["protein"] for line in done.splitlines()]) == (0, ["p"])


def test_html_in_a_group_and_in_the_name_of_a_sweep_stays_text(command_line, tmp_path):
    place = put(tmp_path / "set", ONE | {"groups.csv": f"id,tier\np,{HTML}\n"})
    line = ("dataset=folder", f"dataset.path={place}", "dataset.limit=null", "-m")
    line += ("dataset.groups=groups.csv", "dataset.group_column=tier", "method=random,separation")
    outcome = command_line(*line, f"hydra.sweep.dir='{tmp_path / HTML}'")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / HTML / "report.html").read_text("utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert data.count("onerror=alert(1)") >= 2  # the group and the name, as text
    assert "<img" not in page


def test_html_in_a_failure_is_code_in_mlflow():
    shown = f"**Failed.**\n\n    {HTML}\n    [x](javascript:y)"
    assert ending_note("FAILED", f"{HTML}\n[x](javascript:y)") == shown
