"""STOIC2021: the probability of COVID-19, and of a severe course, from one chest CT."""
