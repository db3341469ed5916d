"""What Kaggle gives, fetched by a stand-in for its program."""
