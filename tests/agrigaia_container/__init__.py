"""Agri-Gaia's container from outside: its contract, what it must leave, and the image that it stands on."""
