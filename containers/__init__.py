"""What ships inside images: `kit` is shared, every other package is one challenge's submission."""
