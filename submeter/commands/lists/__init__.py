"""Lists of an operator's residences, dwellings, meters, accounts and readings on the command line."""
