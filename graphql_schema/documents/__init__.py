"""Documents for residents: what was deposited for them, and the notes on their consumption."""
