"""Data and weights from elsewhere: the table of sources, and what fetches each kind of them."""
