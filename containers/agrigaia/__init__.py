"""Agri-Gaia: what a train container of the platform is made of, and the architectures that Slipway offers for it."""
