"""What the operator's staff list and publish: meters, accounts, dead letters, messages, residences."""
