"""Tests of the test bench: its logic on a fake engine, its verdicts on a real one."""
