"""The formats that are read, each with small valid files and the way it is read."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from benchmarks import hostile_settings
from benchmarks.hostile_predictions import PAES, archives, read
from benchmarks.mutations import Mutator
from harness.alignment import read_alignment, read_fasta, read_rows
from harness.contact_regression import (
    BIAS,
    WEIGHT,
    ContactRegression,
    read_regression,
    write_regression,
)
from harness.datasets.contact_maps import ContactMaps
from harness.datasets.published_files import PublishedFiles
from harness.datasets.tables import read_column
from harness.journal import read_journal
from harness.models.checkpoint import load_checkpoint
from harness.models.fair_esm import save_fair_esm
from harness.models.hugging_face import published_name, shards_of
from harness.models.network import Architecture, Network
from harness.pairs import KeptPairs, read_pairs
from harness.sides import COSTS, Side, read_frozen, write_frozen
from harness.structure import read_chain, read_chains, secondary_structure

_A3M = b">query one\nMKTAYIAKQR\n>b\nMKTA--AKQR\n>c x y\nMKTAyiYIAKQ-\n>d\nMXTAYIA..KQR\n"
_STOCKHOLM = (
    b"# STOCKHOLM 1.0\n#=GF ID x\n\na MKTAY\nb MK-AY\n\na IAKQR\nb I.KQR\n#=GC SS HHHHH\n//\n"
)
_LETTERS = "MKTAYIAKQR"
_TEXT_TOKENS = (b">", b"\n>\n", b"-", b".", b"//", b"# STOCKHOLM 1.0\n", b"#=GR x SS ", b"*", b"?")
_PDB_TOKENS = (b"ATOM  ", b"HETATM", b"MODEL        1\n", b"ENDMDL\n", b"TER\n", b"END\n", b" CA ")
_PDB_TOKENS += (b"MSE", b"CRYST1", b"A0000", b"SEQRES")
_CIF_TOKENS = (
    b"loop_\n",
    b"data_x\n",
    b"_atom_site.id",
    b";\n",
    b"'",
    b"?",
    b".",
    b"#\n",
    b"save_\n",
)
_CIF_TOKENS += (b"_entity_poly_seq.num 1\n", b"_atom_site.label_entity_id\n", b"CA")
_JSON_TOKENS = (b"{", b"}", b"[", b"]", b"null", b'""', b"NaN", b"true", b'"a":', b"[" * 2000)
_NPY_TOKENS = (b"'descr'", b"'|O'", b"'<f8'", b"'<U9'", b"(", b"(9,9,9)", b"PK\x03\x04", b".npy")
_PICKLE_TOKENS = (b"cbuiltins\neval\n", b"cargparse\nNamespace\n", b"R", b".", b"}", b"]", b"K\x05")
_PICKLE_TOKENS += (b"\x8a\xff", b"X\xff\xff\xff\x7f", b"ctorch\nSize\n", b"(", b"t", b"Q", b"0")


@dataclass(frozen=True)
class Format:
    """One format: the name of its file, how to damage it, how to make valid files and read one.

    `seeds` writes into an empty folder what must lie beside the file, and gives its contents.
    """

    file: str
    damage: Mutator
    seeds: Callable[[Path], Sequence[bytes]]
    read: Callable[[Path], Any]


def _text(*texts: bytes) -> Callable[[Path], Sequence[bytes]]:
    return lambda folder: texts


def _packed(*texts: bytes) -> Callable[[Path], Sequence[bytes]]:
    return lambda folder: [gzip.compress(text, mtime=0) for text in texts]


def _both(path: Path) -> None:
    read_alignment(path)
    read_rows(path)


def _structure(path: Path) -> None:
    secondary_structure(read_chain(path, None, 1))
    read_chains(path)


def _pdb() -> bytes:
    lines = []
    for n in range(6):
        for at, atom in enumerate(("N", "CA", "C", "CB")):
            x, y, z = 3.8 * n + at, 0.7 * at, 0.3 * n
            lines.append(
                f"ATOM  {4 * n + at + 1:>5}  {atom:<3} ALA A{n + 1:>4}    "
                f"{x:8.3f}{y:8.3f}{z:8.3f}  1.00 10.00           C"
            )
    return "\n".join([*lines, "TER", "END", ""]).encode()


def _cif() -> bytes:
    columns = "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id label_asym_id "
    columns += "label_entity_id label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z occupancy "
    columns += "auth_seq_id auth_comp_id auth_asym_id auth_atom_id pdbx_PDB_model_num"
    lines = ["data_x", "loop_", *(f"_atom_site.{name}" for name in columns.split())]
    for n in range(5):
        for at, atom in enumerate(("N", "CA", "C", "CB")):
            place = f"{3.8 * n + at:.3f} {0.7 * at:.3f} {0.3 * n:.3f}"
            seen = f"ATOM {4 * n + at + 1} C {atom} . ALA A 1 {n + 1} ? {place} 1.0"
            lines.append(f"{seen} {n + 1} ALA A {atom} 1")
    lines += ["#", "loop_", "_entity_poly_seq.entity_id", "_entity_poly_seq.num"]
    lines += ["_entity_poly_seq.mon_id", *(f"1 {n + 1} ALA" for n in range(6)), "#", ""]
    return "\n".join(lines).encode()


def _contact_maps(folder: Path) -> Sequence[bytes]:
    (folder / "sequences.fasta").write_text(f">p\n{_LETTERS}\n", encoding="utf-8")
    (folder / "contacts").mkdir()
    length, file = len(_LETTERS), folder / "contacts" / "p.npz"
    contacts, valid = np.eye(length, dtype=bool), np.ones(length, dtype=bool)
    places = np.arange(length)[:, None] * np.array([9.0, 0, 0])
    contents = []
    for options in ({}, {"positions": places}):
        np.savez_compressed(file, contacts=contacts, valid_residues=valid, **options)
        contents.append(file.read_bytes())
    return contents


def _read_map(path: Path) -> None:
    source = PublishedFiles("cameo_pta25", "", cache=None, offline=True)
    chosen = {"ids": None, "subset": None, "seed": 0, "limit": None, "labeled": 0}
    folder = str(path.parent.parent)
    ContactMaps(path=folder, source=source, contact="ca8", ranges=["long"], **chosen)["p"]


def _pairs(folder: Path) -> Sequence[bytes]:
    none, pairs = np.zeros(0, dtype=int), np.array([[0, 7], [1, 9]])
    KeptPairs(_LETTERS, none, none, pairs, pairs, np.array([2.0, 1.0])).save(folder / "p.npz")
    return [(folder / "p.npz").read_bytes()]


def _network() -> Network:
    torch.manual_seed(0)
    return Network(Architecture(layers=1, width=4, heads=1, token_dropout=True))


def _regression(folder: Path) -> Sequence[bytes]:
    file = folder / "seed.pt"
    write_regression(ContactRegression(torch.ones(1), torch.zeros(())), file, {})
    return [file.read_bytes()]


def _fair_esm(folder: Path) -> Sequence[bytes]:
    save_fair_esm(_network(), folder / "seed.pt")
    content = torch.load(folder / "seed.pt", weights_only=False)
    torch.save(content, folder / "old.pt", _use_new_zipfile_serialization=False)
    return [(folder / name).read_bytes() for name in ("seed.pt", "old.pt")]


_CONFIG = {"num_attention_heads": 1, "hidden_size": 4, "num_hidden_layers": 1, "model_type": "esm"}
_CONFIG |= {"position_embedding_type": "rotary", "token_dropout": True, "vocab_size": 33}
_CONFIG |= {"max_position_embeddings": 1026, "intermediate_size": 16}


def _hub(folder: Path) -> dict[str, torch.Tensor]:
    """Tensors by the names of the hub; config.json lies in the folder."""
    (folder / "config.json").write_text(json.dumps(_CONFIG), encoding="utf-8")
    tensors = {published_name(k): v.clone() for k, v in _network().state_dict().items()}
    return (
        tensors
        | {WEIGHT.replace("contact_head", "esm.contact_head"): torch.ones(1, 1)}
        | {BIAS.replace("contact_head", "esm.contact_head"): torch.zeros(1)}
    )


def _safetensors(folder: Path) -> Sequence[bytes]:
    save_file(_hub(folder), folder / "model.safetensors")
    return [(folder / "model.safetensors").read_bytes()]


def _bin(folder: Path) -> Sequence[bytes]:
    torch.save(_hub(folder), folder / "pytorch_model.bin")
    return [(folder / "pytorch_model.bin").read_bytes()]


def _config(folder: Path) -> Sequence[bytes]:
    _safetensors(folder)
    return [(folder / "config.json").read_bytes()]


def _frozen(folder: Path) -> Sequence[bytes]:
    import pandas as pd

    values = pd.DataFrame(
        [("p", "p_at_L", "long", 0.5, 1.0)],
        columns=["protein", "metric", "range", "value", "weight"],
    )
    costs = {"p": dict.fromkeys(COSTS, 1)}
    facts = {"run": {}, "settings": {}, "provenance": {}}
    write_frozen(folder / "x.json", Side("x", facts, values, costs, folder, ()), ["method=x"])
    return [(folder / "x.json").read_bytes()]


def _read_folder(path: Path) -> None:
    load_checkpoint(path.parent)


_INDEX = b'{"metadata": {}, "weight_map": {"a": "one.bin", "b": "two.bin"}}'
_JOURNAL = b'{"protein": "p", "seconds": 0.1, "rows_end": 60}\n{"protein": "q", "rows_end": 90}\n'
_TABLE = b"id,chain,group\np,A,x\nq,B,y\n"

FORMATS: dict[str, Format] = {
    "a3m": Format("x.a3m", Mutator(_TEXT_TOKENS), _text(_A3M), _both),
    "a3m.gz": Format("x.a3m.gz", Mutator(_TEXT_TOKENS, "gz"), _packed(_A3M), _both),
    "fasta": Format(
        "x.fasta", Mutator(_TEXT_TOKENS), _text(b">p one\nMKT\nAY\n>q\nGGA\n"), read_fasta
    ),
    "stockholm": Format("x.sto", Mutator(_TEXT_TOKENS), _text(_STOCKHOLM), _both),
    "pdb": Format("x.pdb", Mutator(_PDB_TOKENS), _text(_pdb()), _structure),
    "pdb.gz": Format("x.pdb.gz", Mutator(_PDB_TOKENS, "gz"), _packed(_pdb()), _structure),
    "mmcif": Format("x.cif", Mutator(_CIF_TOKENS), _text(_cif()), _structure),
    "contact_map": Format("contacts/p.npz", Mutator(_NPY_TOKENS, "zip"), _contact_maps, _read_map),
    "pairs": Format("p.npz", Mutator(_NPY_TOKENS, "zip"), _pairs, read_pairs),
    "pae": Format("x.json", Mutator(_JSON_TOKENS), _text(*PAES), read),
    "pae_npz": Format("x.npz", Mutator(_NPY_TOKENS, "zip"), archives, read),
    "fair_esm": Format("x.pt", Mutator(_PICKLE_TOKENS, ""), _fair_esm, load_checkpoint),
    "regression": Format("x.pt", Mutator(_PICKLE_TOKENS, "zip"), _regression, read_regression),
    "hub_bin": Format("pytorch_model.bin", Mutator(_PICKLE_TOKENS, "zip"), _bin, _read_folder),
    "safetensors": Format("model.safetensors", Mutator(_JSON_TOKENS), _safetensors, _read_folder),
    "hub_config": Format("config.json", Mutator(_JSON_TOKENS), _config, _read_folder),
    "hub_index": Format("x.index.json", Mutator(_JSON_TOKENS), _text(_INDEX), shards_of),
    "frozen": Format("x.json", Mutator(_JSON_TOKENS), _frozen, read_frozen),
    "table": Format(
        "x.csv",
        Mutator((b",", b'"', b"id")),
        _text(_TABLE),
        lambda p: read_column(p, "chain", "add it"),
    ),
    "settings": Format(
        "x.yaml", Mutator(hostile_settings.TOKENS), hostile_settings.seeds, hostile_settings.read
    ),
    "journal": Format(
        "proteins.jsonl", Mutator(_JSON_TOKENS), _text(_JOURNAL), lambda p: read_journal(p.parent)
    ),
}
