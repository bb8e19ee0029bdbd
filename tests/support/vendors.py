"""The drivers of this repository, by name and in order: one place for the tests that go through all of them."""

OUR_DRIVERS = ("apator", "ista", "itron", "kamstrup", "ocea")
