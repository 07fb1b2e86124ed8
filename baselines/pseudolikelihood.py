"""The pseudolikelihood of a Potts model, its gradient, and an estimate of its curvature."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from baselines.family import Family
from baselines.tiles import BLOCK, Tiles

_NEWTON_STEPS = 30
"""A state that is never seen comes down by about one a step; its field ends near −10."""

_TINY = 1e-30
"""In place of a curvature of zero, which positions beyond the last have."""

_SumRows = Callable[[Float[Tensor, "R W"]], Float[Tensor, "S W"]]


@dataclass(frozen=True)
class PottsModel:
    """20 or 21 states, and L2 penalties: fields · Σ v² + couplings · Σ_{i<j} w².

    With 20 states a gap is neither predicted nor does it predict. In `centered` parameters, fields
    are those of the average sequence, u_i = v_i + Σ_j w_ij c_j with c_j the frequencies at j. The
    model is the same, but its couplings and fields hardly interact, so that the diagonal of the
    curvature says nearly all about it.
    """

    states: int
    fields: float
    couplings: float
    centered: bool


@dataclass(frozen=True)
class _Independent:
    """The model without couplings: at each position its fields, and what is known of them."""

    fields: Float[Tensor, "K A"]
    variances: Float[Tensor, "K A"]
    """p (1 − p) of each state, summed over sequences."""
    inverse_curvature: Float[Tensor, "K A A"]


class Pseudolikelihood:
    """Σ_n weight_n Σ_i −log p(x_ni | all other x_nj) + penalties, of parameters in `tiles`.

    p is the softmax over a of v_i(a) + Σ_j w_ij(a, x_nj) (Besag, 1975; Balakrishnan et al.,
    Proteins 2011). A pair has one coupling, which serves both of its conditionals (Kamisetty et
    al., PNAS 2013).

    The product of one-hot sequences with a column of couplings adds up one row for each residue,
    and the product with their transpose, in the gradient, one row for each sequence that has a
    state. `embedding_bag` does that in 1/21 of the operations of a matrix product. A few columns
    at a time keep those rows in cache, and all that lies in between small.
    """

    def __init__(
        self, family: Family, model: PottsModel, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.tiles = Tiles(family.states.shape[1], model.states)
        self._model, self._neff = model, family.neff
        states = torch.from_numpy(family.states).to(device, torch.int64)
        absent = self.tiles.blocks * BLOCK - self.tiles.length
        states = pad(states, (0, absent), value=model.states)  # beyond the end nothing counts
        counted = states < model.states
        self._states = states.where(counted, 0)
        weights = torch.from_numpy(family.weights).to(device, dtype)[:, None]
        self._weights = weights * counted
        self._by_row, self._by_state = _row_sums(self._states, counted, model.states)
        self._frequencies = self._by_state(weights)[:, 0] / self._neff
        self._centers = self._frequencies * model.centered
        counts = self._neff * self._frequencies.view(-1, model.states)
        self._alone = _without_couplings(counts, model.fields)

    def start(self) -> Float[Tensor, " P"]:
        """The best parameters without couplings."""
        point = self._frequencies.new_zeros(self.tiles.size)
        self.tiles.fields(point).copy_(self._alone.fields.view(self.tiles.blocks, -1))
        return point

    def __call__(self, point: Float[Tensor, " P"], gradient: Float[Tensor, " P"]) -> float:
        """The value; the gradient is written to the second argument."""
        torch.mul(point, 2 * self._model.couplings, out=gradient)
        couplings, slopes = self.tiles.couplings(point), self.tiles.couplings(gradient)
        value = 0.0
        for block in range(self.tiles.blocks):
            above = self.tiles.above(block)
            tiles = couplings[above.start : above.stop + 1]
            value += self._model.couplings * _dot(tiles, tiles)
            column, fields = self._column(point, block)
            loss, residuals = self._conditionals(block, self._by_row(column) + fields)
            value += loss + self._model.fields * _dot(fields, fields)
            field_slopes = residuals.sum(0) + 2 * self._model.fields * fields
            column = self._by_state(residuals).addr_(self._centers, field_slopes, alpha=-1)
            self.tiles.add_column(slopes, block, column.view(-1, *slopes.shape[1:]))
            self.tiles.fields(gradient)[block] = field_slopes
        return value

    def divide_by_curvature_(self, vector: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The vector over the curvature of independent positions: of couplings, its diagonal."""
        for tiles, curvature in self._curvature(vector):
            tiles.div_(curvature)
        self.tiles.fields(vector).copy_(self._divided_fields(vector))
        return vector

    def inverse_curvature_square(self, vector: Float[Tensor, " P"]) -> float:
        """Vector · curvature⁻¹ · vector."""
        couplings = (_dot(tiles, tiles / curvature) for tiles, curvature in self._curvature(vector))
        return sum(couplings) + _dot(self.tiles.fields(vector), self._divided_fields(vector))

    def _curvature(self, vector: Float[Tensor, " P"]) -> Iterator[tuple[Tensor, Tensor]]:
        """The tiles of a vector by columns, with the second derivative by each coupling.

        That is Var(x_ia) Var(x_jb) from either conditional, summed over sequences.
        """
        share = self._frequencies.view(-1, self._model.states)
        given = (share * (1 - share)).view(self.tiles.blocks, -1)
        told = self._alone.variances.view_as(given)
        couplings = self.tiles.couplings(vector)
        for block in range(self.tiles.blocks):
            above = self.tiles.above(block)
            curvature = given[: block + 1, :, None] * told[block]
            curvature += told[: block + 1, :, None] * given[block]
            curvature += 2 * self._model.couplings + _TINY
            yield couplings[above.start : above.stop + 1], curvature

    def _divided_fields(self, vector: Float[Tensor, " P"]) -> Float[Tensor, "B W"]:
        fields = self.tiles.fields(vector)
        by_position = fields.view(-1, self._model.states, 1)
        return (self._alone.inverse_curvature @ by_position).view_as(fields)

    def parts(self, vector: Float[Tensor, " P"]) -> list[tuple[Tensor, int]]:
        """Views of couplings and fields, and how often each number stands in the full model."""
        return [(self.tiles.couplings(vector), 2), (self.tiles.fields(vector), 1)]

    def plain_fields(self, point: Float[Tensor, " P"]) -> Float[Tensor, "K A"]:
        """v_i, the fields beside couplings that are not centered."""
        fields = [self._column(point, block)[1] for block in range(self.tiles.blocks)]
        return torch.cat(fields).view(-1, self._model.states)[: self.tiles.length]

    def center_(self, point: Float[Tensor, " P"]) -> Float[Tensor, " P"]:
        """The point, given in parameters that are not centered, in those that are."""
        for block, fields in enumerate(self.tiles.fields(point)):
            fields += self._frequencies @ self._column(point, block)[0]
        return point

    def _column(
        self, point: Float[Tensor, " P"], block: int
    ) -> tuple[Float[Tensor, "S W"], Float[Tensor, " W"]]:
        """A column of couplings, and the plain fields of its positions."""
        column = self.tiles.column(self.tiles.couplings(point), block).flatten(0, 1)
        return column, self.tiles.fields(point)[block] - self._centers @ column

    def _conditionals(
        self, block: int, logits: Float[Tensor, "N W"]
    ) -> tuple[float, Float[Tensor, "N W"]]:
        """Loss at the positions of a block, and its derivative by the logits."""
        positions = slice(block * BLOCK, (block + 1) * BLOCK)
        observed = self._states[:, positions, None]
        weights = self._weights[:, positions, None]
        log_p = torch.log_softmax(logits.view(*observed.shape[:2], -1), dim=-1)
        loss = -(weights * log_p.gather(2, observed)).sum(dtype=torch.float64)
        residuals = log_p.exp_()
        residuals.scatter_add_(2, observed, residuals.new_full((1, 1, 1), -1).expand_as(observed))
        return float(loss), residuals.mul_(weights).flatten(1)


def _without_couplings(counts: Float[Tensor, "K A"], penalty: float) -> _Independent:
    """The best fields when there are no couplings, by Newton's method at each position."""
    exact = counts.double()
    totals, eye = exact.sum(1, keepdim=True), torch.eye(counts.shape[1]).to(exact)
    fields = torch.log(exact + 0.5)
    fields -= fields.mean(1, keepdim=True)
    for _ in range(_NEWTON_STEPS):
        p = torch.softmax(fields, dim=1)
        inverse = torch.linalg.inv(
            totals[..., None] * (torch.diag_embed(p) - p[:, :, None] * p[:, None])
            + 2 * penalty * eye
        )
        slopes = totals * p - exact + 2 * penalty * fields
        fields -= (inverse @ slopes[..., None])[..., 0]
    parts = (fields, totals * p * (1 - p), inverse)
    return _Independent(*(part.to(counts.dtype) for part in parts))


def _dot(a: Float[Tensor, "..."], b: Float[Tensor, "..."]) -> float:
    return float(torch.tensordot(a, b, a.ndim))


def _row_sums(
    states: Int[Tensor, "N K"], counted: Bool[Tensor, "N K"], n_states: int
) -> tuple[_SumRows, _SumRows]:
    """X @ table and Xᵀ @ table for the one-hot sequences X (N, K · n_states)."""
    n, length = states.shape
    columns = states + n_states * torch.arange(length, device=states.device)
    chosen, per_row = columns[counted], counted.sum(1)
    rows = torch.arange(n, device=states.device).repeat_interleave(per_row)
    order = torch.argsort(chosen, stable=True)
    per_state = torch.bincount(chosen, minlength=length * n_states)
    return _sums(chosen, per_row), _sums(rows[order], per_state)


def _sums(rows: Int[Tensor, " E"], counts: Int[Tensor, " S"]) -> _SumRows:
    """A function that adds up these rows of a table, so many for each row of the result."""
    rows, starts = rows.int(), (counts.cumsum(0) - counts).int()
    return lambda table: embedding_bag(rows, table, starts, mode="sum")
