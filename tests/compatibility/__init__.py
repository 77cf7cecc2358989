"""What of the contract is answered: `python -m tests.compatibility` writes docs/compatibility.md."""
