"""What a cluster of several machines is told: by its settings, by `cluster.yaml`, by the command of a node."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from heliograph.settings import Settings
from operations import cluster, ray_cluster
from operations.errors import EngineNotShared, SecretNotGiven

ROOT = Path(__file__).parents[3]
STORES = {name: {"url": f"http://{name}.internal"} for name in ("clickhouse", "postgres", "s3")}
SECRETS = {"pepper": "p", "session_secret": "s", "encryption_key": "e"}


@pytest.fixture
def launcher() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "cluster.yaml").read_text("utf-8")))


def test_cluster_yaml_is_what_the_launcher_of_the_installed_ray_takes(launcher: dict[str, Any]) -> None:
    validate_config(prepare_config(launcher))


def test_every_node_of_cluster_yaml_starts_by_our_command_with_the_same_environment(launcher: dict[str, Any]) -> None:
    head, worker = ("; ".join(launcher[f"{kind}_start_ray_commands"]) for kind in ("head", "worker"))

    assert "heliograph node --autoscaling-config=" in head
    assert "heliograph node --head=$RAY_HEAD_IP:3012" in worker
    for commands in (head, worker):
        assert ". /etc/heliograph/heliograph.env" in commands
        assert "export HELIOGRAPH_RAY__NODE_ADDRESS=" in commands


def test_the_example_of_its_environment_is_all_that_a_deployment_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line in (ROOT / "cluster.env.example").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))

    settings = Settings(data_dir=tmp_path)

    cluster.check(settings)
    assert settings.ray.token


@pytest.mark.parametrize("store", list(STORES))
def test_a_store_without_an_address_is_refused(tmp_path: Path, store: str) -> None:
    others = {name: place for name, place in STORES.items() if name != store}
    with pytest.raises(EngineNotShared, match=f"HELIOGRAPH_{store.upper()}__URL"):
        cluster.check(Settings.model_validate({"data_dir": tmp_path, **others, **SECRETS}))


def test_a_secret_that_would_be_generated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretNotGiven, match="HELIOGRAPH_PEPPER"):
        cluster.check(Settings.model_validate({"data_dir": tmp_path, **STORES, "session_secret": "s"}))


def test_a_node_speaks_at_its_own_address_and_all_share_one_token(tmp_path: Path) -> None:
    place = {"node_address": "10.1.2.3", "token": "t" * 64}
    nodes = [Settings.model_validate({"data_dir": tmp_path / name, "ray": place}) for name in ("head", "worker")]
    environments = [ray_cluster.ray_environment(node) for node in nodes]

    joining = ray_cluster.node_command(nodes[1], ["--num-cpus=8"], head="10.1.2.2:3012")

    assert {"--address=10.1.2.2:3012", "--node-ip-address=10.1.2.3", "--num-cpus=8"} <= set(joining)
    assert "--head" not in joining
    assert "--head" in ray_cluster.node_command(nodes[0], [])
    assert [Path(one["RAY_AUTH_TOKEN_PATH"]).read_text() for one in environments] == ["t" * 64] * 2
    assert all("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER" not in one for one in environments)
    assert " 10.1.2.3 " in Path(environments[1]["RAY_SERVE_HAPROXY_BINARY_PATH"]).read_text()
    for one in environments:
        Path(one["RAY_SERVE_HAPROXY_BINARY_PATH"]).unlink()
