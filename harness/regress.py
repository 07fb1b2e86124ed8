"""python -m harness.regress: did a candidate break or beat a reference?"""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from harness.comparison import runs_in
from harness.configuration import CONFIG_FOLDER, build, exit_on_user_error
from harness.digests import text_digest
from harness.errors import HarnessError, InputError
from harness.gate import Comparison, compare
from harness.gate_report import in_words, markdown, tags, write_files
from harness.protocols import Tracker
from harness.provenance import commit
from harness.record import FREE
from harness.results import replacing
from harness.sides import Side, read_frozen, read_side, write_frozen
from harness.tracking import RUN_ID
from harness.verdicts import VERDICTS

FROZEN = Path(CONFIG_FOLDER).parent / "baselines" / "reference"

_OWN = ("candidate", "reference", "freeze", "metrics", "tolerance", "partial", "fail_on", "rules")
"""Keys of the gate; all others are those of the runs."""


def main() -> None:
    """Compare, or freeze, what the command line names; exit code 1 when the candidate regressed."""
    sweeping = ("-m", "--multirun", "experiment=")
    with exit_on_user_error():
        if any(argument.startswith(sweeping) for argument in sys.argv[1:]):
            raise InputError("the gate compares runs; sweep with python -m harness, then name both")
    failed: list[Comparison] = []

    def job(config: DictConfig) -> None:
        with exit_on_user_error():
            failed.extend(_Gate(config, Path(HydraConfig.get().runtime.output_dir)).decide())

    hydra.main(version_base="1.3", config_path=CONFIG_FOLDER, config_name="regress")(job)()
    sys.exit(1 if failed else 0)


@dataclass(frozen=True)
class _Gate:
    config: DictConfig
    folder: Path

    def decide(self) -> list[Comparison]:
        """Compare, write, print; the comparisons in which something failed."""
        rules = build(self.config.rules)
        fail_on = [str(name) for name in self.config.fail_on]
        if unknown := sorted(set(fail_on) - set(VERDICTS)):
            raise InputError(f"fail_on: {unknown[0]} is none of {', '.join(VERDICTS)}")
        self._check_named()
        if self.config.freeze:
            self._freeze()
            return []
        metrics = None if self.config.metrics is None else [str(m) for m in self.config.metrics]
        found = [compare(*pair, rules, metrics) for pair in self._pairs()]
        write_files(self.folder, found, fail_on)
        summary = self.folder / "summary.md"
        with replacing(summary) as partial:
            partial.write_text(markdown(found), encoding="utf-8")
        for one in found:
            self._tell(one, summary)
        print(f"summary: {summary}")
        return [one for one in found if any(v.verdict in fail_on for v in one.verdicts)]

    def _check_named(self) -> None:
        """Nothing; raises InputError for two things of which only one would be looked at."""
        if self.config.candidate and _chooses_method(self._typed):
            raise InputError("candidate=RUN and method=… are two candidates; name one of them")
        if self.config.freeze and self.config.reference:
            raise InputError(
                "freeze=… writes a reference and reference=… reads one; name one of them"
            )

    def _tell(self, one: Comparison, summary: Path) -> None:
        """Print a comparison, and tag the candidate's tracked run with it."""
        print(f"{one.candidate.label} against {one.reference.label}: {one.overall}")
        for verdict in one.verdicts:
            print(f"  {verdict.title:26} {in_words(verdict)}")
        if one.candidate.folder is not None:
            self._tracker.annotate(one.candidate.folder, tags(one), [summary])

    def _freeze(self) -> None:
        """Write the candidate as a frozen reference."""
        found = self._candidates([])
        if len(found) != 1:
            raise InputError(f"freeze: {self.config.candidate} holds {len(found)} runs; name one")
        name = str(self.config.freeze)
        path = Path(name) if name.endswith(".json") else _frozen(name)
        known = [text for text in self._typed if not f"{_key(text)}.".startswith(FREE)]
        write_frozen(path, found[0], [] if self.config.candidate else known)
        print(f"frozen: {path}")

    def _pairs(self) -> list[tuple[Side, Side]]:
        """Candidate and reference; those of sweeps by their labels."""
        if not self.config.reference:
            raise InputError("name a reference: a run, a frozen reference, or a method")
        references = self._references(str(self.config.reference))
        candidates = self._candidates(references)
        if len(references) == 1:
            return [(one, references[0]) for one in candidates]
        by_label = {one.label: one for one in references}
        pairs = [(one, by_label[one.label]) for one in candidates if one.label in by_label]
        alone = {one.label for one in candidates} ^ set(by_label)
        if not pairs:
            raise InputError(f"no run of one sweep is in the other: {', '.join(sorted(alone))}")
        if alone:
            logging.getLogger("harness").warning("only in one: %s", ", ".join(sorted(alone)))
        return pairs

    def _candidates(self, references: Sequence[Side]) -> list[Side]:
        """Named, or measured: the chosen method, else what made the frozen reference."""
        if self.config.candidate:
            return self._look_up(str(self.config.candidate))
        arguments = self._typed
        if not _chooses_method(arguments):
            known = [_harmless(one) for one in references if one.arguments]
            if not known:
                raise InputError("name a candidate=RUN, or a method=… to run")
            arguments = [*known[0], *arguments]
        return [_measured(arguments, self.folder / "candidate")]

    def _references(self, name: str) -> list[Side]:
        """Named, or a method that is run as the candidate is."""
        if not _is_method(name) or Path(name).exists():
            return self._look_up(name)
        others = [text for text in self._typed if _key(text).partition(".")[0] != "method"]
        arguments = [f"method={name}", *others]
        folder = self.folder / "reference"
        if "+" not in commit():  # the same code gives the same numbers
            key = text_digest(repr((arguments, commit())))[:12]
            folder = Path(self.config.outputs) / "regress" / "references" / f"{name}-{key}"
        return [_measured(arguments, folder)]

    def _look_up(self, name: str) -> list[Side]:
        """A file, a run folder, a sweep folder, a frozen reference, an id of the tracker."""
        path = Path(name)
        if path.suffix == ".json" and path.is_file():
            return [read_frozen(path)]
        if path.is_dir():
            return [read_side(run.folder) for run in runs_in(path)]
        if RUN_ID.fullmatch(name):
            copies = self._tracker.fetch(name, self.folder / name)
            return [read_side(copy, f"MLflow run {copy.name}") for copy in copies]
        if _frozen(name).is_file():
            return [read_frozen(_frozen(name))]
        frozen = sorted(path.relative_to(FROZEN) for path in FROZEN.rglob("*.json"))
        names = ", ".join(str(path.with_suffix("")) for path in frozen)
        raise InputError(
            f"{name}: no run or sweep folder, id in MLflow (32 hexadecimal digits), method, or "
            f"frozen reference (there are {names or 'none'})"
        )

    @property
    def _tracker(self) -> Tracker:
        return build(self.config.tracker)

    @property
    def _typed(self) -> list[str]:
        """What the command line says of the runs."""
        given = HydraConfig.get().overrides.task
        return [text for text in given if _key(text).partition(".")[0] not in _OWN]


def _key(override: str) -> str:
    return override.partition("=")[0].lstrip("+~")


def _chooses_method(overrides: Sequence[str]) -> bool:
    return any(_key(override) == "method" for override in overrides)


def _harmless(side: Side) -> Sequence[str]:
    """The arguments that made a frozen reference; InputError for one that could run any code."""
    for text in side.arguments:
        if text.startswith("-") or "_target_" in text or _key(text).startswith("hydra"):
            raise InputError(
                f"{side.source}: made with {text!r}, which can run any code, so it is not run "
                "again from a file; name a candidate=RUN, or type the method=… of one"
            )
    return side.arguments


def _frozen(name: str) -> Path:
    """Where the frozen reference of that name is; InputError for one that is no name."""
    if not re.fullmatch(r"[\w-]+(/[\w-]+)*", name):
        raise InputError(f"{name!r} is no name of a frozen reference: letters, digits, -, _, and /")
    return FROZEN / f"{name}.json"


def _is_method(name: str) -> bool:
    folders = [source.path for source in HydraConfig.get().runtime.config_sources]
    known = [Path(path) / "method" for path in folders if os.path.isdir(path)]
    return name.isidentifier() and any((path / f"{name}.yaml").is_file() for path in known)


def _measured(arguments: Sequence[str], folder: Path) -> Side:
    """A run of the harness in a process of its own, as its user would start it.

    A folder goes on where it was.
    """
    sources = HydraConfig.get().runtime.config_sources
    own = [source.path for source in sources if source.provider == "command-line"]
    added = ["--config-dir", own[0]] if own else []
    place = str(folder).replace("'", r"\'")
    command = [*added, *arguments, f"hydra.run.dir='{place}'"]
    print("measuring: python -m harness " + " ".join(command), flush=True)
    if subprocess.run([sys.executable, "-m", "harness", *command]).returncode:
        raise HarnessError("that run failed, as it says above; nothing was compared")
    return read_side(folder, f"python -m harness {' '.join(arguments)}")


if __name__ == "__main__":
    main()
