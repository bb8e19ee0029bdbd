"""`python -m submeter`: the command line."""

from submeter.main import main

main()
