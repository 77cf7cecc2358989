"""The command line; the platform's commands join it by entry point."""
