"""Networks, weights, the choice among candidates, and what is exported of the chosen one."""
