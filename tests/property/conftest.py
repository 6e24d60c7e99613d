"""Rules for property tests: what they assert are facts, never how long something took."""

from hypothesis import settings

settings.register_profile("facts", deadline=None)
settings.load_profile("facts")
