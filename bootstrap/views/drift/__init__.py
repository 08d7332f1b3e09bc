"""What differs from the code and was not put there by us, found place by place; nothing is changed by looking."""

from bootstrap.drift.places import Drift, Drifted, look

__all__ = ["Drift", "Drifted", "look"]
