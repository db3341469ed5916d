"""Host-side Python of the workflow."""
