"""Host-side commands of STOIC2021 alone."""
