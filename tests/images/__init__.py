"""Tests of how images come to be: base, wheels, submission folder, build."""
