"""Holds the files that platforms read to linters, parsers and the settings without which alerts are lost.

The platforms' own programs and schemas can't be had from a package registry: for Fly.io, Render, Railway, ngrok and
Cloudflare the settings are held to what their documentation says, key by key, and an unknown key is an error.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import compose_spec
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
HADOLINT = Path(sys.executable).parent / "hadolint"

#: What a key must be; a set of values, a type or a dictionary of keys. Nothing else may stand there.
FLY = {
    "app": str,
    "primary_region": str,
    "kill_signal": {"SIGTERM"},
    "kill_timeout": int,
    "build": {"dockerfile": {"../docker/platform.Dockerfile"}},
    "env": {"PONTE_PLATFORM": {"fly"}},
    "mounts": {"source": str, "destination": {"/data"}, "initial_size": str, "snapshot_retention": int},
    "http_service": {
        "internal_port": {8080},
        "force_https": {True},
        "auto_stop_machines": {"off"},
        "auto_start_machines": {True},
        "min_machines_running": {1},
        "checks": [{"method": {"GET"}, "path": {"/healthz"}, "interval": str, "timeout": str, "grace_period": str}],
    },
    "restart": [{"policy": {"always"}}],
    "vm": [{"size": str, "memory": str}],
}
RENDER = {
    "services": [
        {
            "type": {"web"},
            "name": str,
            "runtime": {"docker"},
            "region": {"oregon", "ohio", "virginia", "frankfurt", "singapore"},
            "plan": {"starter", "standard", "pro"},
            "dockerfilePath": {"./deploy/docker/platform.Dockerfile"},
            "dockerContext": {"."},
            "healthCheckPath": {"/healthz"},
            "autoDeployTrigger": {"off"},
            "envVars": [None, {"key": str}],
            "disk": {"name": str, "mountPath": {"/data"}, "sizeGB": int},
        }
    ]
}
RAILWAY = {
    "$schema": {"https://railway.com/railway.schema.json"},
    "build": {"builder": {"DOCKERFILE"}, "dockerfilePath": {"deploy/docker/platform.Dockerfile"}},
    "deploy": {
        "startCommand": {"start-ponte railway"},
        "healthcheckPath": {"/healthz"},
        "healthcheckTimeout": int,
        "restartPolicyType": {"ALWAYS"},
        "sleepApplication": {False},
        "overlapSeconds": {0},
        "drainingSeconds": int,
    },
}


def text(path):
    return (DEPLOY / path).read_text(encoding="utf-8")


def differences(found, wanted, where="file"):
    """Says where a document is not what it should be; a list that begins with None is not looked into."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            return [f"{where} is no table"]
        said = [f"{where}.{key} is missing" for key in wanted.keys() - found.keys()]
        said += [f"{where}.{key} is unknown" for key in found.keys() - wanted.keys()]
        for key in wanted.keys() & found.keys():
            said += differences(found[key], wanted[key], f"{where}.{key}")
        return said
    if isinstance(wanted, list):
        if not isinstance(found, list) or not found:
            return [f"{where} is no list"]
        if wanted[0] is None:
            return []
        return [said for index, item in enumerate(found) for said in differences(item, wanted[0], f"{where}[{index}]")]
    if isinstance(wanted, set):
        is_right = any(found == value and type(found) is type(value) for value in wanted)
        return [] if is_right else [f"{where} is {found!r}, not one of {sorted(map(str, wanted))}"]
    return [] if type(found) is wanted else [f"{where} is {found!r}, no {wanted.__name__}"]


def test_the_check_itself_finds_what_is_wrong():
    good = tomllib.loads(text("fly/fly.toml"))
    assert differences(good, FLY) == []
    for change in (
        lambda file: file["http_service"].update(auto_stop_machines="stop"),
        lambda file: file["http_service"].update(min_machines_running=0),
        lambda file: file.pop("mounts"),
        lambda file: file.update(kill_signal="SIGINT"),
        lambda file: file["http_service"].update(auto_stop_machine="off"),
    ):
        bad = tomllib.loads(text("fly/fly.toml"))
        change(bad)
        assert differences(bad, FLY)


def test_fly():
    file = tomllib.loads(text("fly/fly.toml"))
    assert differences(file, FLY) == []
    assert (DEPLOY / "fly" / file["build"]["dockerfile"]).resolve().is_file()
    assert 5 < file["kill_timeout"] <= 300


def test_render():
    file = yaml.safe_load(text("render/render.yaml"))
    assert differences(file, RENDER) == []
    (service,) = file["services"]
    assert (ROOT / service["dockerfilePath"]).is_file()
    variables = {variable.pop("key"): variable for variable in service["envVars"]}
    assert variables == {"PONTE_PLATFORM": {"value": "render"}, "PONTE_SECRET": {"generateValue": True}}


def test_railway():
    file = json.loads(text("railway/railway.json"))
    assert differences(file, RAILWAY) == []
    assert (ROOT / file["build"]["dockerfilePath"]).is_file()


@pytest.mark.parametrize("name", ["Dockerfile", "platform.Dockerfile"])
def test_hadolint(name):
    command = [HADOLINT, "--no-color", "--failure-threshold", "style", DEPLOY / "docker" / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def instructions(name):
    """The instructions of a Dockerfile, one line each, by stage."""
    lines = re.sub(r"\\\n\s*", "", text(f"docker/{name}")).splitlines()
    stages = []
    for line in lines:
        if line.startswith("FROM "):
            stages.append([])
        if line and not line.startswith("#"):
            stages[-1].append(line)
    return stages


def test_both_images_are_built_in_the_same_way():
    (build, _), (other, _) = instructions("Dockerfile"), instructions("platform.Dockerfile")
    assert build == other
    assert any("deploy/static.sh release" in line for line in build)


def test_the_image_has_nothing_but_the_program_and_is_not_root():
    _, final = instructions("Dockerfile")
    assert final[0] == "FROM scratch"
    assert "USER 65532:65532" in final
    assert "STOPSIGNAL SIGTERM" in final
    assert "VOLUME /data" in final
    assert not [line for line in final if line.startswith("RUN ")]
    assert [line for line in final if line.startswith("HEALTHCHECK ") and '["/ponte", "health"]' in line]


def test_the_platforms_image_gives_up_root():
    _, final = instructions("platform.Dockerfile")
    assert final[-1] == 'ENTRYPOINT ["start-ponte"]'
    start = text("docker/start.sh")
    assert "setpriv --reuid=ponte --regid=ponte --init-groups --inh-caps=-all --no-new-privs" in start
    assert os.access(DEPLOY / "docker" / "start.sh", os.X_OK)
    subprocess.run(["sh", "-n", DEPLOY / "docker" / "start.sh"], check=True)


def test_compose():
    # Strict: an unknown key or a value of another kind is an error.
    compose_spec.PyCompose.from_yaml(text("docker/compose.yaml"))
    with pytest.raises(ValueError):
        compose_spec.PyCompose.from_yaml(text("docker/compose.yaml").replace("read_only:", "read_onli:"))
    file = yaml.safe_load(text("docker/compose.yaml"))
    ponte = file["services"]["ponte"]
    assert (DEPLOY / "docker" / ponte["build"]["context"]).resolve() == ROOT
    assert ponte["read_only"] is True
    assert ponte["cap_drop"] == ["ALL"]
    assert ponte["security_opt"] == ["no-new-privileges:true"]
    assert ponte["restart"] == "unless-stopped"
    assert ponte["user"] == "65532:65532"
    assert ponte["volumes"] == ["data:/data"] and "data" in file["volumes"]
    assert ponte["healthcheck"]["test"] == ["CMD", "/ponte", "health"]
    assert ponte["stop_grace_period"] == "30s"
    # TradingView calls IPv4 only, and nothing but the webhook is published.
    assert ponte["ports"] == ["0.0.0.0:443:8443"]


def test_compose_lint():
    command = [HADOLINT.with_name("compose-lint"), "check", "--format", "json", DEPLOY / "docker/compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rules = re.findall(r'"rule_id": "(CL-\d+)"', done.stdout)
    # CL-0005: the port is there for the world. CL-0019: an image that is built here has no digest to pin.
    assert set(rules) == {"CL-0005", "CL-0019"}, done.stdout + done.stderr


def addresses():
    source = (ROOT / "crates/ponte/src/config/network.rs").read_text(encoding="utf-8")
    block = source[source.index("TRADINGVIEW_ADDRESSES: [") :].split(";\n", 1)[0]
    found = [".".join(numbers) for numbers in re.findall(r"new\((\d+), (\d+), (\d+), (\d+)\)", block)]
    assert len(found) == 4
    return found


@pytest.mark.parametrize("path", ["nginx/ponte.conf", "caddy/Caddyfile", "ngrok/policy.yml"])
def test_the_addresses_are_those_of_the_program(path):
    named = re.findall(r"\b(?:52|34|54)\.\d+\.\d+\.\d+\b", text(path))
    assert set(named) == set(addresses())


def test_ngrok():
    (rule,) = yaml.safe_load(text("ngrok/policy.yml"))["on_http_request"]
    (action,) = rule["actions"]
    assert action["type"] == "restrict-ips"
    assert action["config"] == {"enforce": True, "allow": [f"{address}/32" for address in addresses()]}


def test_cloudflare_tunnel():
    file = yaml.safe_load(text("cloudflare-tunnel/config.yml"))
    assert file.keys() == {"tunnel", "credentials-file", "ingress"}
    *rules, last = file["ingress"]
    assert last == {"service": "http_status:404"}
    (rule,) = rules
    assert rule["service"] == "http://127.0.0.1:8080"
    for path, passes in {"/webhook": True, "/webhook/token": True, "/webhooks": False, "/api/halt": False}.items():
        assert bool(re.search(rule["path"], path)) is passes, path


def test_no_file_waits_longer_than_tradingview():
    for line in text("nginx/ponte.conf").splitlines():
        if match := re.search(r"proxy_(?:connect|send|read)_timeout (\d+)(ms|s)", line):
            seconds = int(match[1]) / (1000 if match[2] == "ms" else 1)
            assert seconds < 3, line
