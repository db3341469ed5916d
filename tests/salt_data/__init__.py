"""The salt competition's data: the demo, what Kaggle gives in each layout, the checks, and the folds."""
