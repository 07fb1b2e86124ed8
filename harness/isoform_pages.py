"""Pages of isoforms: one a pair, and a table over all pairs; each file shows itself offline."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from harness.blocks import Segment
from harness.isoform_pair import IsoformPair
from harness.isoform_plots import isoform_plot
from harness.results import RunFolder, replacing

FOLDER, TABLE, INDEX = "isoforms", "isoforms.csv", "index.html"
_PAGE = Path(__file__).parent / "page"

MEANINGS = {
    "recovery": "Σ full · isoform / Σ full² over the scores of pairs",
    "correlation": "Pearson correlation of the scores of pairs",
    "recovery_masked": "the same for the full length with what is lost hidden",
    "correlation_masked": "the same for the full length with what is lost hidden",
    "contacts_kept": "share of the full length's contacts that are contacts of the isoform too",
    "p_at_L_full": "P@L of the full length's map among kept residues",
    "p_at_L_isoform": "P@L of the isoform's map among the same residues",
    "p_at_L_change": "the second less the first",
    "rmsd": "Å between CA atoms after the best superposition of kept residues",
    "tm_score": "TM-score of the kept residues, normalized by their number",
    "lddt": "lDDT of the CA atoms of kept residues, the full length being the reference",
    "plddt_full": "mean pLDDT in the full length",
    "plddt_isoform": "mean pLDDT of the same residues in the isoform",
    "plddt_change": "the second less the first",
    "exposed_area": "Å² of surface that kept residues gain",
    "exposed_hydrophobic_area": "Å² of it on residues more hydrophobic than glycine",
    "exposed_area_cut_out": "Å² gained when the lost part is cut out of the full length",
    "exposed_hydrophobic_area_cut_out": "Å² of that on hydrophobic residues",
    "sap_full": "SAP score of the kept residues in the full length",
    "sap_change": "change of the SAP score from the full length to the isoform",
    "sap_change_cut_out": "the same when the lost part is cut out of the full length",
}
SCOPES = {
    "kept": "all kept residues",
    "within": "pairs in one kept segment",
    "across": "pairs of two kept segments",
    "bereft": "residues that lost at least half of their contacts, and contacts that they have",
}


def write_pair(results: RunFolder, pair: IsoformPair, label: str, pictures: bool) -> None:
    """Write what is known of a pair: isoforms/<id>.json and .csv, and its picture and page."""
    identifier = pair.sample.protein.id
    folder = results.path / FOLDER
    folder.mkdir(exist_ok=True)
    facts = _facts(pair)
    if pictures:
        picture = folder / f"{identifier}.png"
        isoform_plot(picture, pair, f"{identifier} of {facts['full_length']} · {label}")
        _write(folder / f"{identifier}.html", _pair_page(facts, pair, picture, label))
    with replacing(folder / f"{identifier}.csv") as partial:
        residue_table(pair).to_csv(partial, index=False)
    _write(folder / f"{identifier}.json", json.dumps(facts, indent=1) + "\n")


def residue_table(pair: IsoformPair) -> pd.DataFrame:
    """One line a kept residue: where it is in both, and what was measured along the chain."""
    kept = pair.kept
    table = {"residue": list(pair.letters), "isoform": kept.isoform, "full_length": kept.full}
    table |= {"segment": kept.segment, "bereft": pair.bereft.astype(int)}
    table |= {"recovery": pair.recovery_of_rows}
    for side, seen in pair.exposures.items():
        table |= {f"area_{side}": seen.area, f"sap_{side}": seen.sap}
    return pd.DataFrame(table | {f"plddt_{side}": sure for side, sure in pair.plddt.items()})


def write_index(results: RunFolder, label: str) -> None:
    """Write isoforms.csv and isoforms/index.html; nothing where there are no pairs."""
    paths = sorted((results.path / FOLDER).glob("*.json"))
    if not paths:
        return
    pairs = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    table = pair_table(pairs, results.rows())
    with replacing(results.path / TABLE) as partial:
        table.to_csv(partial, index=False)
    _write(results.path / FOLDER / INDEX, _index_page(table, results.path / FOLDER, label))


def pair_table(pairs: Sequence[Mapping[str, Any]], rows: pd.DataFrame) -> pd.DataFrame:
    """One line a pair: its names, what is kept, its notes, and every measured number."""
    known = pd.DataFrame([_line(pair) for pair in pairs]).fillna("")
    names = rows["metric"] + " " + rows["range"]
    wide = rows.assign(name=names).pivot(index="protein", columns="name", values="value")
    wide = wide[list(dict.fromkeys(names))].reset_index(names="isoform")
    return known.merge(wide, on="isoform", how="inner")


def _line(pair: Mapping[str, Any]) -> dict[str, Any]:
    parts = {name: _listed(Segment(*part) for part in pair[name]) for name in _PARTS}
    ids = {name: pair[name] for name in ("isoform", "full_length")}
    lengths = {name: pair[name] for name in ("n_isoform", "n_full_length")}
    return ids | lengths | parts | pair["notes"]


_PARTS = ("kept", "lost", "new")
_PLACE = ["isoform", "full_length", "n_isoform", "n_full_length", *_PARTS]


def _facts(pair: IsoformPair) -> dict[str, Any]:
    origin = pair.sample.origin
    kept = pair.kept
    parts = zip(_PARTS, (kept.segments, kept.lost, kept.new), strict=True)
    return {
        "isoform": pair.sample.protein.id,
        "full_length": pair.full_sample.protein.id,
        "n_isoform": len(kept.places),
        "n_full_length": kept.length,
        **{name: [[part.start, part.end] for part in found] for name, found in parts},
        "notes": dict(origin.notes) if origin else {},
    }


def _pair_page(facts: Mapping[str, Any], pair: IsoformPair, picture: Path, label: str) -> str:
    source = base64.b64encode(picture.read_bytes()).decode("ascii")
    told = {key.replace("_", " "): value for key, value in _line(facts).items()}
    alt = (
        f"Alignment, contact maps of full length and isoform, their difference, and curves along "
        f"the chain; kept residues: {_line(facts)['kept']}"
    )
    body = [
        _definitions(told | {"measured with": label}),
        f'<img alt="{escape(alt)}" src="data:image/png;base64,{source}">',
        "<h2>Measured</h2>",
        _table(
            ["Metric", "Of", "Value", "Pairs or residues", "Meaning"],
            [
                [row.metric, row.range, row.value, int(row.coordinates["n"]), MEANINGS[row.metric]]
                for row in pair.rows
            ],
        ),
        f'<p class="note">{escape("; ".join(f"{k}: {v}" for k, v in SCOPES.items()))}. '
        "Residues are counted from 0. NaN: could not be measured.</p>",
        f'<p><a href="{INDEX}">All pairs</a></p>',
    ]
    return _page(f"{facts['isoform']} of {facts['full_length']}", body)


def _index_page(table: pd.DataFrame, folder: Path, label: str) -> str:
    texts = [name for name in table.columns if not isinstance(table[name].iloc[0], float)]
    table = table[[*_PLACE, *table.columns.difference(texts, sort=False), *texts[len(_PLACE) :]]]
    rows = []
    for line in table.to_dict("records"):
        name = str(line["isoform"])
        link = f'<a href="{escape(name)}.html">{escape(name)}</a>'
        there = (folder / f"{name}.html").exists()
        rows.append([_Markup(link) if there else name, *list(line.values())[1:]])
    note = f"{label}. Every number is in {TABLE} and rows.csv too; residues are counted from 0."
    columns = [str(name).replace("_", " ") for name in table.columns]
    body = [
        f'<p class="note">{escape(note)}</p>',
        f'<div class="wide">{_table(columns, rows)}</div>',
    ]
    return _page("Isoforms", body)


def _definitions(items: Mapping[str, object]) -> str:
    lines = (f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in items.items() if v != "")
    return f"<dl>{''.join(lines)}</dl>"


class _Markup(str):
    """Text that is HTML already."""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f'<td class="number">{value:.3g}</td>'
    if isinstance(value, int):
        return f'<td class="number">{value}</td>'
    return f"<td>{value if isinstance(value, _Markup) else escape(str(value))}</td>"


def _listed(segments: Iterable[Segment]) -> str:
    return ", ".join(f"{part.start}–{part.end - 1}" for part in segments)


def _page(title: str, body: Sequence[str]) -> str:
    template = (_PAGE / "isoform.html").read_text(encoding="utf-8")
    style = (_PAGE / "report.css").read_text(encoding="utf-8")
    parts = {"TITLE": escape(title), "STYLE": style, "BODY": "\n".join(body)}
    for name, text in parts.items():
        template = template.replace(f"<!--{name}-->", text).replace(f"/*{name}*/", text)
    return template


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
