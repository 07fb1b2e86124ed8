"""MLflow stores of tests."""

from harness.tracking import MlflowTracker


def tracking_in(store):
    """A tracker that writes there."""
    return MlflowTracker(experiment="contacts", store=str(store), note="a note", view={"a": 1})


def recorded(client):
    """All runs, the oldest first."""
    return client.search_runs(["1"], order_by=["attributes.start_time"])
