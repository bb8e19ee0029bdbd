"""EN 13757, wired and wireless M-Bus: bytes in, frozen values out. Imports nothing of the house."""
