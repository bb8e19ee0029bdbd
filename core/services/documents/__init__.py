"""Documents for residents: files that managers and staff deposit, and notes on consumption."""
