"""Muon for many matrices at once: the same steps as torch.optim.Muon, in a tenth of the kernels."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration (Jordan et al., 2024)."""

_STEPS, _MOMENTUM, _SMALLEST = 5, 0.95, 1e-7


class StackedMuon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and without weight decay; equal shapes are one batch of products.

    Differs from `torch.optim.Muon` by rounding only. Small matrices on a GPU take as long as it
    takes to start their kernels, so that stacking them is what saves time.
    """

    def __init__(self, matrices: Sequence[nn.Parameter], lr: float) -> None:
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every matrix that has a gradient."""
        for group in self.param_groups:
            stacks: dict[torch.Size, list[nn.Parameter]] = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    stacks.setdefault(matrix.shape, []).append(matrix)
            for (rows, columns), matrices in stacks.items():
                gradients = [matrix.grad for matrix in matrices if matrix.grad is not None]
                momenta = [self._momentum(matrix) for matrix in matrices]
                torch._foreach_lerp_(momenta, gradients, 1 - _MOMENTUM)
                updates = torch._foreach_lerp(gradients, momenta, _MOMENTUM)
                rate = group["lr"] * math.sqrt(max(1, rows / columns))
                moves = list(orthogonalized(torch.stack(updates)).float())
                torch._foreach_add_([*matrices], moves, alpha=-rate)

    def _momentum(self, matrix: nn.Parameter) -> Tensor:
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        momentum: Tensor = state["momentum_buffer"]
        return momentum


def orthogonalized(stack: Tensor) -> Tensor:
    """Each matrix (K, R, C) with its singular values brought near one, in bfloat16."""
    a, b, c = _COEFFICIENTS
    tall = stack.shape[1] > stack.shape[2]
    x = stack.bfloat16()
    x = x.mT if tall else x
    x = x / torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True).clamp(min=_SMALLEST)
    for _ in range(_STEPS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x
