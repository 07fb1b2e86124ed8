"""One run in MLflow: what is recorded of it, each thing once."""

import colorsys
import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from pandas import DataFrame

from harness.digests import text_digest
from harness.errors import PrerequisiteError
from harness.mlflow_store import explaining, mlflow_library

if TYPE_CHECKING:
    from mlflow import MlflowClient

LONGEST = 5000
"""Characters that every MLflow store takes as the value of a parameter or a tag."""

_LONGEST_DIGEST = 36
"""Characters that MLflow takes as the digest of a data set."""


@dataclass(frozen=True)
class MlflowRun:
    """An open run of an MLflow store."""

    client: "MlflowClient"
    uri: str
    id: str

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
    ) -> None:
        """Send what the run does not have yet; charts stumble over NaN, so it is left out."""
        entities, now = mlflow_library().entities, int(time.time() * 1000)
        tags = {**tags, **_presentation(parameters, tags)}
        with explaining(self.uri):
            known = self.client.get_run(self.id).data
            self.client.log_batch(
                self.id,
                metrics=[
                    entities.Metric(key, float(value), now, 0)
                    for key, value in metrics.items()
                    if not math.isnan(value) and known.metrics.get(key) != value
                ],
                params=[
                    entities.Param(key, str(value)[:LONGEST])
                    for key, value in parameters.items()
                    if key not in known.params
                ],
                tags=[entities.RunTag(key, text[:LONGEST]) for key, text in tags.items()],
            )

    def dataset(self, name: str, version: str, n_proteins: int) -> None:
        """Log the data set as an input: the table has a column and a filter of them."""
        entities, short = mlflow_library().entities, len(version) <= _LONGEST_DIGEST
        found = entities.Dataset(
            name=name,
            digest=version if short else text_digest(version)[:_LONGEST_DIGEST],
            source_type="local",
            source=json.dumps({"uri": f"conf/dataset/{name}.yaml"}),
            profile=json.dumps({"num_rows": n_proteins}),
        )
        tag = entities.InputTag("mlflow.data.context", "eval")
        with explaining(self.uri):
            self.client.log_inputs(self.id, [entities.DatasetInput(found, [tag])])

    def curve(self, name: str, points: Mapping[int, float]) -> None:
        """Log the points that are not there yet: MLflow would draw a second curve over them."""
        entities, now = mlflow_library().entities, int(time.time() * 1000)
        with explaining(self.uri):
            known = {point.step for point in self.client.get_metric_history(self.id, name)}
            new = [x for x, y in points.items() if x not in known and not math.isnan(y)][:1000]
            self.client.log_batch(self.id, [entities.Metric(name, points[x], now, x) for x in new])

    def table(self, name: str, frame: DataFrame) -> None:
        """Log the table once: MLflow would append to one that is there."""
        with explaining(self.uri):
            if name not in {item.path for item in self.client.list_artifacts(self.id)}:
                self.client.log_table(self.id, frame, name)

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Copy the files into the artifact folder `under` (the top one if empty)."""
        with explaining(self.uri):
            for path in paths:
                self.client.log_artifact(self.id, str(path), under or None)

    def fail(self, error: BaseException) -> None:
        """Mark the run FAILED, as far as the server still listens."""
        text = f"{type(error).__name__}: {error}"[: LONGEST - 20]
        with suppress(PrerequisiteError), explaining(self.uri):
            self.client.set_tag(self.id, "error", text)
            self.client.set_tag(self.id, "mlflow.note.content", failure_note(text))
            self.client.set_terminated(self.id, "FAILED")


def failure_note(text: str) -> str:
    """The note of a failed run: its message as code, so that no name in it becomes HTML."""
    return "**Failed.**\n\n" + indent(text, "    ")


def _presentation(parameters: Mapping[str, object], tags: Mapping[str, str]) -> dict[str, str]:
    """What MLflow's own UI looks for: a color by method, the commit."""
    shown = {}
    if "method" in parameters:
        hue = hashlib.sha256(str(parameters["method"]).encode()).digest()[0] / 256
        color = colorsys.hsv_to_rgb(hue, 0.8, 0.75)
        shown["mlflow.runColor"] = "#" + "".join(f"{round(255 * part):02X}" for part in color)
    if "commit" in tags:
        shown["mlflow.source.git.commit"] = tags["commit"]
    return shown
