"""Archives unpacked: sound ones, locked ones, broken ones, and runs that were interrupted."""
