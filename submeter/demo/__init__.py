"""The demo: two residences, their residents and meters, and the telegrams of those meters."""
