"""What the regression gate writes down: Markdown for people, CSV and JUnit for machines, tags."""

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from harness.gate import Comparison
from harness.results import replacing
from harness.verdicts import FEWEST, Rules, Verdict, counts


def write_files(folder: Path, comparisons: Sequence[Comparison], fail_on: Sequence[str]) -> None:
    """Write verdicts.csv and junit.xml into the folder."""
    rows = [
        {"candidate": one.candidate.label, "reference": one.reference.label} | _row(verdict)
        for one in comparisons
        for verdict in one.verdicts
    ]
    with replacing(folder / "verdicts.csv") as partial:
        pd.DataFrame(rows).to_csv(partial, index=False)
    with replacing(folder / "junit.xml") as partial:
        _junit(comparisons, fail_on).write(partial, encoding="utf-8", xml_declaration=True)


def _row(verdict: Verdict) -> dict[str, object]:
    worst = " ".join(f"{name}:{change:+.4g}" for name, change in verdict.worst)
    return asdict(verdict) | {"worst": worst}


def _junit(comparisons: Sequence[Comparison], fail_on: Sequence[str]) -> ElementTree.ElementTree:
    """A suite a comparison, a case a metric; a verdict of `fail_on` is a failure."""
    root = ElementTree.Element("testsuites")
    for one in comparisons:
        found = counts(one.verdicts)
        name = f"{one.candidate.label} against {one.reference.label}"
        failures = sum(found[verdict] for verdict in fail_on)
        counted = {"tests": str(len(one.verdicts)), "failures": str(failures)}
        suite = ElementTree.SubElement(root, "testsuite", {"name": name, **counted})
        for verdict in one.verdicts:
            place = {"classname": name, "name": verdict.title}
            case = ElementTree.SubElement(suite, "testcase", place)
            text = in_words(verdict)
            if verdict.verdict in fail_on:
                ElementTree.SubElement(case, "failure", {"message": text})
            else:
                ElementTree.SubElement(case, "system-out").text = text
    return ElementTree.ElementTree(root)


def in_words(verdict: Verdict) -> str:
    """One line: the verdict, the mean difference with its interval, and why."""
    change = f"{verdict.difference:+.4f} [{verdict.low:+.4f}, {verdict.high:+.4f}]"
    why = f" ({verdict.reason})" if verdict.reason else ""
    return f"{verdict.verdict}: {change}, n = {verdict.n}{why}"


def tags(comparison: Comparison) -> dict[str, str]:
    """What the candidate's tracked run is told: the overall verdict, and that of each metric."""
    against = f"against {comparison.reference.label}"
    found = {f"verdict/{one.title}": f"{in_words(one)} {against}" for one in comparison.verdicts}
    return found | {"verdict": comparison.overall, "verdict/reference": comparison.reference.source}


def markdown(comparisons: Sequence[Comparison]) -> str:
    """A summary ready for a pull request."""
    blocks = [block for one in comparisons for block in _blocks(one)]
    return "\n\n".join([*blocks, _method(comparisons[0].rules)]) + "\n"


def _blocks(one: Comparison) -> list[str]:
    known = {key: ratio for key, ratio in one.cost_ratios.items() if not math.isnan(ratio)}
    ratios = ", ".join(f"{key.replace('_', ' ')} × {ratio:.3g}" for key, ratio in known.items())
    candidate, reference = one.candidate, one.reference
    return [
        f"## {candidate.label} against {reference.label}: **{one.overall}**",
        f"`{candidate.source}` against `{reference.source}`; {len(one.proteins)} common proteins.",
        _table(one.verdicts),
        *(f"Lost most in {v.title}: {_worst(v)}." for v in one.verdicts if v.worst),
        f"Cost of the candidate over that of the reference: {ratios}.",
        *_differing(one),
    ]


def _table(verdicts: Sequence[Verdict]) -> str:
    head = ("metric", "verdict", "candidate", "reference", "difference", "p", "p (Holm)")
    rows = [(*head, "won / lost / tied", "why"), ("---",) * (len(head) + 2)]
    for one in verdicts:
        change = f"{one.difference:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        means = (f"{one.candidate:.4f}", f"{one.reference:.4f}", change)
        score = f"{one.wins} / {one.losses} / {one.ties}"
        p_values = (f"{one.p:.2g}", f"{one.p_holm:.2g}")
        rows.append((one.title, f"**{one.verdict}**", *means, *p_values, score, one.reason))
    return "\n".join(_line(*row) for row in rows)


def _line(*cells: str) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _worst(verdict: Verdict) -> str:
    return ", ".join(f"{name} {change:+.3f}" for name, change in verdict.worst)


def _differing(one: Comparison) -> list[str]:
    rows = [_line(key, before, now) for key, (before, now) in one.differing.items()]
    head = [_line("differs in", "reference", "candidate"), _line("---", "---", "---")]
    return ["\n".join([*head, *rows])] if rows else []


def _method(rules: Rules) -> str:
    """How verdicts come about."""
    bootstrap = rules.bootstrap
    return (
        f"Equivalent: the {bootstrap.level:.0%} interval of the mean difference lies within "
        f"± {rules.tolerance:g}. Improved, regressed: it does not, leaves out 0, and p is below "
        f"{1 - bootstrap.level:.2g}. Inconclusive: else, with fewer than {FEWEST} pairs, or "
        "(unless regressed) where proteins of the reference have no value. Intervals: expanded "
        f"percentiles of {bootstrap.resamples:,} paired bootstrap resamples of proteins, seed "
        f"{bootstrap.seed}. p: Wilcoxon's signed-rank test, corrected for the number of metrics of "
        "a comparison (Holm)."
    )
