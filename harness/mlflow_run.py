"""One run in MLflow: what is recorded of it, each thing once."""

import colorsys
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

from pandas import DataFrame

from harness.digests import text_digest
from harness.mlflow_store import find_runs, mlflow_library

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

LONGEST = 5000
"""Characters that every MLflow store takes as the value of a parameter or a tag."""

_KEY, _NOTE = "run_key", "mlflow.note.content"

_REASONS = {"FAILED": "error", "KILLED": "preempted"}
"""Tags that say why a run has not finished."""

_LONGEST_DIGEST = 36
"""Characters that MLflow takes as the digest of a data set."""


@dataclass(frozen=True)
class MlflowRun:
    """A run of an MLflow store, told of one thing after the other; told twice, it changes nothing.

    `time` is that of the measurement, in milliseconds of the epoch: a store that obeys late, when
    whoever asked has asked again, then sees that it has this already. Raises what MLflow raises.
    """

    client: "MlflowClient"
    id: str

    def record(
        self,
        parameters: Mapping[str, object],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        time: int,
    ) -> None:
        """Send what the run does not have yet; charts stumble over NaN, so it is left out."""
        entities = mlflow_library().entities
        tags = {**tags, **_presentation(parameters, tags)}
        known = self.client.get_run(self.id).data
        self.client.log_batch(
            self.id,
            metrics=[
                entities.Metric(key, float(value), time, 0)
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
        self.client.log_inputs(self.id, [entities.DatasetInput(found, [tag])])

    def curve(self, name: str, points: Mapping[int, float], time: int) -> None:
        """Log the points that are not there yet: MLflow would draw a second curve over them."""
        entities = mlflow_library().entities
        known = {point.step for point in self.client.get_metric_history(self.id, name)}
        new = [x for x, y in points.items() if x not in known and not math.isnan(y)]
        self.client.log_batch(self.id, [entities.Metric(name, points[x], time, x) for x in new])

    def table(self, name: str, frame: DataFrame) -> None:
        """Log the table once: MLflow would append to one that is there."""
        if name not in {item.path for item in self.client.list_artifacts(self.id)}:
            self.client.log_table(self.id, frame, name)

    def files(self, paths: Sequence[Path], under: str) -> None:
        """Copy the files into the artifact folder `under` (the top one if empty)."""
        for path in paths:
            self.client.log_artifact(self.id, str(path), under or None)

    def end(self, status: str, text: str, time: int) -> None:
        """Close the run: FINISHED, FAILED because of an error, or KILLED where it was stopped."""
        self._stand_alone()
        text = text[: LONGEST - 20]
        if status != "FINISHED":
            self.client.set_tag(self.id, _REASONS[status], text)
            self.client.set_tag(self.id, _NOTE, ending_note(status, text))
        self.client.set_terminated(self.id, status, time)

    def _stand_alone(self) -> None:
        """Delete runs of the same key, which a store has made that obeyed late."""
        own = self.client.get_run(self.id)
        same = find_runs(self.client, own.info.experiment_id, own.data.tags[_KEY])
        _delete(self.client, [run for run in same if run.info.run_id != self.id])


def begin(
    client: "MlflowClient", experiment: str, tags: Mapping[str, str], name: str, time: int
) -> str:
    """Id of the run with these tags' `run_key`: reopened, or new.

    Of several that were made because an answer was lost on the way the oldest is kept.
    """
    known = find_runs(client, experiment, tags[_KEY])
    made = [] if known else [client.create_run(experiment, time, dict(tags), name)]
    first, *others = known or find_runs(client, experiment, tags[_KEY]) or made
    _delete(client, others)
    if known:
        client.update_run(first.info.run_id, status="RUNNING")
        for tag in {*_REASONS.values(), _NOTE} & first.data.tags.keys():
            _delete_tag(client, first.info.run_id, tag)
    return str(first.info.run_id)


def ending_note(status: str, text: str) -> str:
    """The note of a run that has not finished: why, as code, so that no name becomes HTML."""
    return f"**{status.capitalize()}.**\n\n" + indent(text, "    ")


def _delete(client: "MlflowClient", runs: Sequence["Run"]) -> None:
    for run in runs:
        client.delete_run(run.info.run_id)


def _delete_tag(client: "MlflowClient", run: str, tag: str) -> None:
    """Delete it, or find it gone: MLflow asks again by itself when an answer is lost."""
    try:
        client.delete_tag(run, tag)
    except mlflow_library().exceptions.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


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
