"""Floating-point operations, counted as they happen."""

from collections.abc import Callable

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def operations(action: Callable[[], object]) -> int:
    """Operations of the matrix products and attentions of an action."""
    # PyTorch counts nothing for the fused attention of a CPU, so it is taken apart here.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        action()
    return counter.get_total_flops()
