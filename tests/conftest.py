"""What every test shares."""

from hypothesis import settings

# Two busy cores say nothing about the code: only pytest's own timeout bounds a test.
settings.register_profile("heliograph", deadline=None)
settings.load_profile("heliograph")
