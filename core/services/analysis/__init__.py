"""Monthly statistics of residences and of an operator, for analysts: each about five dwellings or more."""
