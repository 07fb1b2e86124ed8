import sys

import pytest

from harness import estimate
from harness.stored import estimate_of_literature, estimated_bits, independent_values


def test_the_published_estimates():
    """20,000 families of 256 residues: every pair (preprint), four contacts a residue (PNAS)."""
    assert estimate_of_literature(20_000, 256, None) == 261_120_000_000
    assert estimate_of_literature(20_000, 256, 4) == 4_096_000_000
    assert independent_values(20_000, 256, 4) == 4_096_000_000 // 400 * 361


def test_half_of_the_variance_is_half_a_bit():
    assert estimated_bits(10, 0.5) == 5
    assert estimated_bits(10, 0.75) == 10
    assert estimated_bits(10, 0) == 0


@pytest.mark.parametrize("asked", [(0, 256, None), (1, 1, None), (1, 10, 0), (1, 10, 10)])
def test_what_is_no_protein_is_refused(asked):
    with pytest.raises(ValueError, match="allowed are 1"):
        estimate_of_literature(*asked)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_is_below_one(share):
    with pytest.raises(ValueError, match="allowed are 0 up to"):
        estimated_bits(1, share)


def printed(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["estimate", *map(str, arguments)])
    estimate.main()
    return capsys.readouterr().out


def test_the_command_prints_the_estimate(monkeypatch, capsys):
    assert "261,120,000,000" in printed(monkeypatch, capsys)
    assert "4,096,000,000" in printed(monkeypatch, capsys, "--contacts", 4)


def test_measured_bits_give_parameters(monkeypatch, capsys, tmp_path):
    """361 values of half a bit for one pair, at two bits a parameter: 90."""
    path = tmp_path / "capacity.csv"
    path.write_text("bits_per_parameter\n0.5\n2\n")
    text = printed(monkeypatch, capsys, "--families", 1, "--length", 2, "--measured", path)
    assert "parameters at 2 bits each:         90" in text


@pytest.mark.parametrize("content", [None, "other\n1\n", "bits_per_parameter\n0\n"])
def test_a_table_that_says_nothing_is_an_error_of_one_line(monkeypatch, tmp_path, content):
    path = tmp_path / "capacity.csv"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(sys, "argv", ["estimate", "--measured", str(path)])
    with pytest.raises(SystemExit, match="error: "):
        estimate.main()
