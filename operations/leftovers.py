"""What a daemon that was killed has left behind."""

from heliograph.settings import Settings
from operations.ray_head import RayHead
from storage.embedded.supervisor import end_left_behind


def end(settings: Settings) -> None:
    """End what the daemon would have ended: the cluster, then every engine that has a record."""
    RayHead(settings, settings.data / "logs" / "ray.log").clean_up()
    run = settings.data / "run"
    end_left_behind(run, [record.stem for record in run.glob("*.pid")])
