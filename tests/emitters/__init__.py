"""Frameworks and SDKs as they really are: what each emits is recorded, and read as Heliograph shows it."""
