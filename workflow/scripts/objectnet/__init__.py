"""ObjectNet on the host: photos, candidates, their choice, scores."""
