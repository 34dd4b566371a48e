"""Files into cells: text of any separator and encoding, workbooks, Parquet."""
