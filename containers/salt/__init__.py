"""The submission to TGS salt: where the salt lies in each seismic image."""
