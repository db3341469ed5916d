"""TGS salt on the host: images, training, scores, what is sent to Kaggle."""
