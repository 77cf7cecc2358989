"""`python -m migrations plan | upgrade | status`: the schema steps without the rest of the command line."""

import sys

from heliograph.settings import Settings
from migrations.plan import plan, status, upgrade


def main(verb: str) -> None:
    """Run one verb and print a line for each migration."""
    settings = Settings()
    match verb:
        case "plan":
            lines = plan(settings)
        case "upgrade":
            lines = upgrade(settings)
        case "status":
            lines = [f"{'applied' if step.is_applied else 'pending'}  {step.description}" for step in status(settings)]
        case _:
            sys.exit(__doc__)
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
