"""The drivers of this repository, by name and in order: for the tests that go through all of them."""

OUR_DRIVERS = ("apator", "bfw", "bmeters", "innotas", "integra", "ista", "itron", "kamstrup", "ocea")
