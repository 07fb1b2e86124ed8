"""Settings that somebody wrote by hand: a yaml of conf/method, built as a run builds it."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from harness.configuration import build
from harness.errors import InputError

TOKENS = (b": ", b"null", b"true", b"[", b"]", b"{", b"}", b"- ", b"\n", b"'", b"1e999", b".nan")
TOKENS += (b"_target_: ", b"_partial_: true\n", b"_args_: [1]\n", b"${x}", b"???", b"0x", b"*a")

_METHODS = Path(__file__).resolve().parent.parent / "conf" / "method"


def seeds(folder: Path) -> Sequence[bytes]:
    """Methods that read no model."""
    names = ("inverse_covariance", "gremlin", "mutual_information", "random", "separation")
    return [(_METHODS / f"{name}.yaml").read_bytes() for name in names]


def read(path: Path) -> None:
    """Build it; what YAML and Hydra refuse themselves, with a message, is refused here too."""
    try:
        node = OmegaConf.load(path)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError) as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(node, DictConfig):
        raise InputError(f"{path}: no mapping")
    build(node)
