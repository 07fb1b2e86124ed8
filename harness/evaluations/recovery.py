"""Contact recovery: hide the sequence around a block of contacts, give it back, watch it return."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float
from numpy import ndarray
from pandas import DataFrame

from harness.blocks import Block, blocks_of
from harness.errors import InputError
from harness.evaluations.recovery_summary import Summary, pair_class, summarize
from harness.evaluations.target_list import Targets
from harness.masking import Flank, Step
from harness.protocols import ContactMethod, Row, RowSummary, StepwiseMasking
from harness.recovery import Jump, correlation, recovery
from harness.sample import Sample
from harness.statistics import Bootstrap


@dataclass(frozen=True)
class Recovery:
    """Recovery of each target at each step of the masking, and its correlation, a row each.

    A block is recovered where its recovery is above `recovered`. With `one_sided`, and flanks that
    grow on both sides, a target with a stable jump is looked at again: one side shows as much as at
    the jump, the other as little as it takes; rows `recovery_left` and `recovery_right`. `at` are
    flanks whose shares of recovered targets are given as metrics. With `skip_beyond_end` a block
    that ends behind its protein is left out instead of refused. The range of a row is the class of
    its pair of secondary-structure elements; empty for a block on the diagonal, or without.
    """

    targets: Targets
    masking: StepwiseMasking
    recovered: float
    jump: Jump
    one_sided: bool
    at: Sequence[int]
    skip_beyond_end: bool
    coordinates: tuple[str, ...] = ("start", "end", "start_2", "end_2", "flank", "visible", "draw")

    def __post_init__(self) -> None:
        if not isinstance(self.masking, StepwiseMasking):
            raise ValueError(
                "this masking hides a share of a protein, not what is around a block: use "
                "masking=flank, flank_left, flank_right, random or random_far"
            )

    def __call__(self, method: ContactMethod, sample: Sample) -> Iterator[Row]:
        """The rows of one protein; none when it has no target."""
        original = method(sample.protein)
        for block in self.targets(original, sample):
            beyond = block.columns.end > len(sample.protein)
            if not (beyond and self.skip_beyond_end):
                block.require_within(sample.protein)
                yield from self._curves(method, sample, block, original)

    def check(self, protein_ids: Sequence[str]) -> list[str]:
        """Listed proteins that are not among these; InputError when none of them is."""
        listed = self.targets.listed.entries if self.targets.listed else {}
        missing = [name for name in listed if name not in set(protein_ids)]
        if listed and len(missing) == len(listed):
            raise InputError(
                f"evaluation.targets.path lists {len(listed)} proteins (the first: {missing[0]}), "
                f"none of which is in the data set (the first: {protein_ids[0]}); the ids must be "
                "equal"
            )
        return missing

    def summarize(self, rows: DataFrame, bootstrap: Bootstrap) -> RowSummary:
        """Shares of recovered targets by flank, jumps, and the context they need."""
        return summarize(rows, Summary(bootstrap, self.recovered, self.jump, tuple(self.at)))

    def _curves(
        self,
        method: ContactMethod,
        sample: Sample,
        block: Block,
        original: Float[ndarray, "L L"],
    ) -> Iterator[Row]:
        """All rows of one target."""
        target = _Target(sample, block, block.of(original))
        values = []
        for step, scores in target.steps(method, self.masking):
            values.append(recovery(target.original, scores))
            yield target.row("recovery", values[-1], step)
            same = correlation(target.original, scores, block.on_diagonal)
            yield target.row("correlation", same, step)
        flank = self.jump.first(values) if self.one_sided else None
        if flank is None or not isinstance(self.masking, Flank) or self.masking.sides != "both":
            return
        for side in ("left", "right"):
            one = replace(self.masking, sides=side, other=flank)
            for step, scores in target.steps(method, one, until=flank):
                yield target.row(f"recovery_{side}", recovery(target.original, scores), step)


@dataclass(frozen=True, eq=False)
class _Target:
    sample: Sample
    block: Block
    original: Float[ndarray, "R C"]

    def steps(
        self, method: ContactMethod, masking: StepwiseMasking, until: int | None = None
    ) -> Iterator[tuple[Step, Float[ndarray, "R C"]]]:
        """Each step with the block as the method scores it then; all in one go."""
        protein = self.sample.protein
        steps = list(masking.steps(protein, self.block))[: None if until is None else until + 1]
        shown = [protein.masked(step.visible) for step in steps]
        return zip(steps, blocks_of(method, shown, self.block), strict=True)

    def row(self, metric: str, value: float, step: Step) -> Row:
        """A row of this target."""
        name = pair_class(self.block, self.sample.secondary_structure)
        return Row(metric, name, value, self._coordinates(step))

    def _coordinates(self, step: Step) -> Mapping[str, float]:
        rows, columns = self.block.rows, self.block.columns
        places = {"start": rows.start, "end": rows.end}
        places |= {"start_2": columns.start, "end_2": columns.end}
        return places | {"flank": step.flank, "visible": len(step.visible), "draw": step.draw}
