"""An operator's lists: CSV files and workbooks of residences, dwellings, meters, keys and occupancies."""
