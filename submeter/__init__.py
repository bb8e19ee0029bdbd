"""Submeter: the one import name for whoever writes a plugin or runs the product.

`submeter.vendor` is what a plugin imports, `python -m submeter` the command line, `submeter.__version__` the
release that is installed. Nothing else here is promised to outsiders.
"""


def __getattr__(name: str) -> str:
    """`__version__`, read from the installed distribution when somebody asks for it."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - a light start

        return version("submeter")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
