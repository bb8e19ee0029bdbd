"""EN 13757, wired and wireless M-Bus: bytes in, frozen values out. It imports nothing else of ours."""
