"""MLflow stores of tests."""

from harness.tracking import MlflowTracker


def tracking_in(store, **settings):
    """A tracker that writes there, and does not wait for a store that is away."""
    chosen = {"note": "a note", "view": {"a": 1}, "patience": 0, "defer": False, **settings}
    return MlflowTracker(experiment="contacts", store=str(store), **chosen)


def recorded(client):
    """All runs, the oldest first."""
    return client.search_runs(["1"], order_by=["attributes.start_time"])
