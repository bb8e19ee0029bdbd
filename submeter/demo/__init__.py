"""The demo: two residences, their people and meters, and the telegrams those meters would have sent."""
