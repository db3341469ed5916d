"""Agri-Gaia on the host: demo pictures, data sets, conversions from other formats."""
