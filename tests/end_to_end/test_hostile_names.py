"""Names that are paths, or HTML: refused, or shown as they are."""

import re

import pytest

from harness import regress
from harness.errors import InputError
from harness.mlflow_run import ending_note
from tests.builders import folder_dataset, pdb_of, put

HTML = "<img src=x onerror=alert(1)>"
ONE = {"p/sequence.fasta": ">p\nMKTAYIAKGRQISF\n", "p/structure.pdb": pdb_of()}


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", HTML])
def test_a_frozen_reference_is_not_written_elsewhere(
    command_line, in_process, tmp_path, monkeypatch, name
):
    monkeypatch.setattr(regress, "FROZEN", tmp_path / "frozen")
    assert command_line(f"hydra.run.dir={tmp_path / 'run'}").code == 0
    before = sorted(tmp_path.parent.iterdir())
    line = [f"candidate={tmp_path / 'run'}", f"freeze='{name}'", f"outputs={tmp_path / 'out'}"]
    outcome = in_process(regress.main, [*line, "tracker=none"])
    assert outcome.code != 0
    assert "is no name of a frozen reference" in outcome.err
    assert not (tmp_path / "frozen").exists()
    assert sorted(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize("name", ["../p", "/etc/passwd", "..", HTML.replace("/", "")])
def test_ids_from_the_command_line_and_from_tables_are_no_paths(command_line, tmp_path, name):
    place = ("dataset=folder", f"dataset.path={put(tmp_path / 'set', ONE)}", "dataset.limit=null")
    outcome = command_line(*place, f"dataset.ids=['{name}']")
    assert outcome.code == 1
    assert "cannot name a protein" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_folder_whose_name_is_html_is_refused(tmp_path):
    (tmp_path / "set" / HTML).mkdir(parents=True)
    with pytest.raises(InputError, match="cannot name a protein"):
        folder_dataset(tmp_path / "set").protein_ids  # noqa: B018


def test_html_in_a_group_and_in_the_name_of_a_sweep_stays_text(command_line, tmp_path):
    place = put(tmp_path / "set", ONE | {"groups.csv": f"id,tier\np,{HTML}\n"})
    line = (
        "dataset=folder",
        f"dataset.path={place}",
        "dataset.limit=null",
        "dataset.groups=groups.csv",
    )
    sweep = tmp_path / HTML
    outcome = command_line(
        *("-m", *line, "dataset.group_column=tier", "method=random,separation"),
        f"hydra.sweep.dir='{sweep}'",
    )
    assert outcome.code == 0, outcome.err
    page = (sweep / "report.html").read_text("utf-8")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    assert "onerror=alert(1)" in data  # it is there, as text
    assert HTML not in page.replace(data, "")
    assert "innerHTML" not in page  # nor do the scripts write HTML
    assert "insertAdjacentHTML" not in page


def test_a_failure_is_shown_in_mlflow_as_code():
    assert ending_note("FAILED", f"{HTML}\n[x](javascript:y)") == (
        f"**Failed.**\n\n    {HTML}\n    [x](javascript:y)"
    )
