"""ObjectNet's images, the licence's guard, and the scorer."""
