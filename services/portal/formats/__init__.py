"""The forms an answer may have: JSON, CSV, Parquet, VOTable; FITS and PNG for images."""
