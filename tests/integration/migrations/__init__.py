"""Tests of the migrations on the real engines."""
