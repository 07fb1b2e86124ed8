"""Whatever the bytes, a reader gives what it reads or refuses it by an error of ours."""

import pickle
from random import Random

import numpy as np
import pytest

from benchmarks.fuzzing import inputs_of, judge
from benchmarks.hostile import FORMATS
from benchmarks.mutations import Mutator
from harness.arrays import read_arrays
from harness.errors import InputError
from harness.evaluations.target_list import TargetList

INPUTS = 150
SEED = 4

HUGE = b"9" * 30
DEEP = b"[" * 100_000
CRASHES = {
    "a file beside a header that is cut": ("pairs", b"PK\x03\x04 damaged"),
    "brackets in an index": ("hub_index", DEEP),
    "brackets in a configuration": ("hub_config", DEEP),
    "brackets in a frozen reference": ("frozen", DEEP),
    "brackets in a journal": ("journal", DEEP + b"\n"),
    "a pickle that takes from an empty stack": ("regression", b"\x80\x02."),
    "a pickle that is no tensor": ("fair_esm", pickle.dumps({"model": {"a": 1}}, protocol=2)),
    "a line that is no entry": ("journal", b"[1, 2]\n"),
    "a line without a protein": ("journal", b'{"rows_end": 60}\n'),
    "settings without a target": ("settings", b"depth: 3\n"),
    "settings of a module": ("settings", b"_target_: baselines.separation\n"),
    "rows that end nowhere": ("journal", b'{"protein": "q", "rows_end": 1e999}\n'),
}
"""What readers once let through: an IndexError, a RecursionError, …, or minutes and memory."""


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_read_or_refused(name, tmp_path, unchecked):
    taken = [
        judge(FORMATS[name], path, content)
        for path, content in inputs_of(FORMATS[name], tmp_path, SEED, INPUTS)
    ]
    assert 0 < sum(taken) < INPUTS  # neither is every one refused before it is looked into


@pytest.mark.parametrize("case", CRASHES)
def test_what_once_crashed_a_reader_is_refused(case, tmp_path, unchecked):
    name, content = CRASHES[case]
    FORMATS[name].seeds(tmp_path)
    assert not judge(FORMATS[name], tmp_path / FORMATS[name].file, content)


EDITS = {
    "more layers than tensors": ("hub_config", b'"num_hidden_layers": 1', HUGE),
    "layers that are no number": ("hub_config", b'"num_hidden_layers": 1', b'"1"'),
    "no heads": ("hub_config", b'"num_attention_heads": 1', b"0"),
    "a width beyond every tensor": ("hub_config", b'"hidden_size": 4', b"4000000000"),
}


@pytest.mark.parametrize("case", EDITS)
def test_sizes_that_a_checkpoint_cannot_have_are_refused(case, tmp_path, unchecked):
    name, given, value = EDITS[case]
    form = FORMATS[name]
    (content,) = form.seeds(tmp_path)
    assert judge(form, tmp_path / form.file, content)
    changed = content.replace(given, given.partition(b":")[0] + b": " + value)
    assert changed != content
    assert not judge(form, tmp_path / form.file, changed)


@pytest.mark.parametrize("place", [b"99999999", b"     nan", b"     inf"])
def test_atoms_that_are_nowhere_are_refused(place, tmp_path, unchecked):
    """A cell list over a chain of 10^8 Å would take more memory than there is anywhere."""
    form = FORMATS["pdb"]
    (content,) = form.seeds(tmp_path)
    at = content.index(b"   0.700")  # y of a CA atom
    assert not judge(form, tmp_path / form.file, content[:at] + place + content[at + 8 :])


def test_a_number_too_long_for_a_column_is_refused(tmp_path, unchecked):
    form = FORMATS["mmcif"]
    (content,) = form.seeds(tmp_path)
    changed = content.replace(b"? 0.000", b"? " + HUGE * 300, 1).replace(b"1.0 1 ALA", HUGE, 1)
    assert not judge(form, tmp_path / form.file, changed)


def test_brackets_without_end_are_no_list_of_targets(tmp_path):
    (tmp_path / "targets.json").write_bytes(DEEP)
    with pytest.raises(InputError, match="not JSON"):
        TargetList(str(tmp_path / "targets.json")).entries  # noqa: B018


def test_text_that_is_no_unicode_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([0x7FFFFFFF], dtype="<u4").view("<U1"))
    with pytest.raises(InputError, match="no Unicode"):
        read_arrays(tmp_path / "x.npz")


def test_a_table_of_one_name_again_and_again_takes_no_time(tmp_path, unchecked):
    form = FORMATS["table"]
    assert judge(form, tmp_path / form.file, b"id,chain" + b",cha" * 10_000 + b"\np,A\n")


def test_damage_is_the_same_every_time():
    seeds, damage = [b"one\ntwo 22\n", b"three"], Mutator((b"token",))
    first = [damage(seeds, Random(n)) for n in range(50)]
    assert first == [damage(seeds, Random(n)) for n in range(50)]
    assert len(set(first)) > 40
