"""Tests of the code's shape."""
