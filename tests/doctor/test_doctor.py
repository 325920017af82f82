"""The doctor: what is fine is said to be, and what is not has a remedy."""

import json
import os

import keras
import numpy as np
import pytest

from keras_ab.doctor import Finding
from keras_ab.doctor import command
from keras_ab.doctor import devices
from keras_ab.doctor import disk
from keras_ab.doctor import pages
from keras_ab.doctor import rates
from keras_ab.doctor import versions
from keras_ab.doctor.devices import Device

GOOD = {
    "keras": "3.15.1",
    "jax": "0.10.2",
    "tensorflow": "2.21.0",
    "torch": "2.13.0+cpu",
    "numpy": "2.4.6",
}


def findings(**changed):
    return list(versions.check_versions({**GOOD, **changed}.get))


def test_versions_that_go_together():
    (finding,) = findings()
    assert (finding.state, finding.do) == ("fine", "")
    assert "tensorflow 2.21.0" in finding.said


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"keras": "3.9.2"}, "keras 3.9.2 is older than 3.13"),
        ({"numpy": "1.25.0"}, "numpy 1.25.0 is older"),
        ({"tensorflow": None}, "feeds every backend"),
        ({"tensorflow-cpu": "2.20.0"}, "overwrite each other"),
        ({"tensorflow-text": "2.20.1"}, "built for another TensorFlow"),
        ({keras.backend.backend(): None}, "which is not installed"),
    ],
)
def test_versions_that_clash(changed, said):
    found = [f for f in findings(**changed) if said in f.said]
    assert [f.state for f in found] == ["wrong"] and found[0].do


def test_versions_are_numbers():
    assert versions.numbers("2.21.0rc1") == (2, 21, 0)
    assert versions.numbers("2.13.0+cpu") == (2, 13, 0)
    assert versions.installed("keras") == keras.version()
    assert versions.installed("no-such-package") is None


@pytest.mark.parametrize(
    "found, policy",
    [
        ([Device("cpu", "cpu")], "float32"),
        ([Device("gpu", "Tesla T4", 7.5)] * 2, "mixed_float16"),
        ([Device("gpu", "A100", 8.0)], "mixed_bfloat16"),
        (
            [Device("gpu", "A100", 8.0), Device("gpu", "T4", 7.5)],
            "mixed_float16",
        ),
        ([Device("gpu", "?")], "mixed_float16"),
        ([Device("tpu", "v5e")] * 8, "mixed_bfloat16"),
    ],
)
def test_dtype_goes_by_capability(found, policy):
    assert devices.dtype_policy(found) == policy
    first, second = devices.check_devices(found)
    assert first.figures["devices"][0]["name"] == found[0].name
    assert second.figures["policy"] == policy
    assert (second.state == "fine") == (policy == "float32")


def test_this_machine():
    found = devices.devices()
    assert found and {d.kind for d in found} <= {"cpu", "gpu", "tpu"}
    assert devices.memory_of(Device("cpu", "cpu")) > 2**28
    assert devices.memory_of(Device("gpu", "x")) == 0
    assert [f.state for f in devices.check_tensorflow()] in ([], ["fine"])
    assert [f.state for f in devices.check_collective(found[:1])] == ["fine"]


def test_a_sum_that_is_wrong(monkeypatch):
    def add(result):
        def adder(count):
            if result is None:
                raise RuntimeError("NCCL")
            return result

        return adder

    pair = [Device("gpu", "T4", 7.5)] * 2
    for backend in ("jax", "tensorflow"):
        monkeypatch.setattr(keras.backend, "backend", lambda b=backend: b)
        for result, state in ((1.0, "fine"), (0.0, "wrong"), (None, "wrong")):
            monkeypatch.setattr(devices, f"_sum_of_{backend}", add(result))
            (finding,) = devices.check_collective(pair)
            assert finding.state == state, finding
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    (finding,) = devices.check_collective(pair)
    assert finding.state == "note"


def test_memory(monkeypatch):
    encoder = keras.layers.Dense(1)
    encoder.grid_shape, encoder.hidden_dim = (2, 2), 8
    encoder.num_layers, encoder.num_heads = 3, 2
    # 4 bytes, 3 blocks, 4 tokens: 20 x 8 numbers, and two maps of 2 x 4.
    assert rates.activation_bytes(encoder) == 4 * 3 * 4 * (160 + 2 * 2 * 4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    assert rates.training_bytes(model) == 4 * 4 * 20
    model.trainable = False
    assert rates.training_bytes(model) == 4 * 20

    model.encoder = encoder
    monkeypatch.setattr(rates.presets, "load", lambda *a, **k: model)
    view = rates.activation_bytes(encoder)
    for memory, state in ((2**30, "fine"), (5 * view, "wrong")):
        found = [Device("gpu", "x", 8.0, memory)]
        (finding,) = rates.check_memory("x", 8, found)
        assert finding.state == state
        assert finding.figures["bytes_per_view"] == view
    assert "at most 4 views" in finding.do
    (finding,) = rates.check_memory("x", 8, [Device("gpu", "x")])
    assert finding.state == "note"


def test_data_is_held_against_steps(monkeypatch):
    def twice(run, seconds=1.0):
        run()
        return 2.0

    monkeypatch.setattr(rates, "per_second", twice)
    (finding,) = rates.check_source("scenes", None)
    # 32 images of two crops, twice a second.
    assert finding.figures["views_per_second"] == 128
    encoder = keras.layers.Dense(1)
    encoder.image_shape = (16, 16, 3)
    model = keras.Model()
    model.encoder = encoder
    monkeypatch.setattr(rates.presets, "load", lambda *a, **k: model)
    for taken, state in ((100, "fine"), (200, "note")):
        monkeypatch.setattr(rates, "step_rate", lambda *a, t=taken: t)
        (finding,) = rates.check_source("scenes", "x")
        assert finding.state == state
        assert finding.figures["taken_per_second"] == taken


def test_rates_are_measured(monkeypatch):
    assert rates.product_rate("float32") > 1e6
    clock = iter(np.arange(1, 100) / 4)
    monkeypatch.setattr(rates.time, "perf_counter", lambda: next(clock))
    # Four calls until a second has passed, and a look at the clock after.
    assert rates.per_second(lambda: None, 1.0) == 4 / 1.25


@pytest.mark.parametrize(
    "mode, tunables, state, said",
    [
        ("[always] madvise never", "", "fine", "lie on them"),
        ("always [madvise] never", "", "note", "has not asked"),
        ("always [madvise] never", pages.SETTING, "fine", "lie on them"),
        ("always madvise [never]", pages.SETTING, "note", "none to give"),
    ],
)
def test_huge_pages(mode, tunables, state, said, tmp_path, monkeypatch):
    (tmp_path / "enabled").write_text(mode)
    monkeypatch.setattr(pages, "MODE", tmp_path / "enabled")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setenv("GLIBC_TUNABLES", tunables)
    cpu, gpu = (Device(kind, "one") for kind in ("cpu", "gpu"))
    (finding,) = pages.check_huge_pages([cpu])
    assert finding.state == state
    assert said in finding.said
    assert not list(pages.check_huge_pages([gpu]))
    monkeypatch.setattr(pages, "MODE", tmp_path / "none")
    assert not list(pages.check_huge_pages([cpu]))


def test_disk(tmp_path):
    (finding,) = disk.check_disk(tmp_path / "not" / "there", enough=1)
    assert finding.state == "fine" and finding.figures["free_bytes"] > 1
    assert not list(tmp_path.iterdir())
    (finding,) = disk.check_disk(tmp_path, enough=2**60)
    assert finding.state == "note"


@pytest.mark.skipif(os.name != "posix", reason="a folder of the kernel's")
def test_a_folder_that_takes_no_files():
    (finding,) = disk.check_disk("/proc/self")
    assert finding.state == "wrong" and "--output" in finding.do


def test_the_command(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rates, "product_rate", lambda dtype: 5e9)
    path = tmp_path / "a.json"
    status = command.main(["--json", str(path), "--output", str(tmp_path)])
    report = json.loads(path.read_text())
    assert status == any(f["state"] == "wrong" for f in report["findings"])
    printed = capsys.readouterr().out
    for finding in report["findings"]:
        assert finding["said"] in printed
    checks = {finding["check"] for finding in report["findings"]}
    assert {"versions", "devices", "collective", "products", "disk"} <= checks
    assert "5 GFLOP/s in float32" in printed


def test_what_is_wrong_has_a_remedy():
    with pytest.raises(ValueError, match="something to do"):
        Finding("a", "wrong", "b")
    with pytest.raises(ValueError, match="state must be one of"):
        Finding("a", "good", "b")
    assert str(Finding("a", "wrong", "b", "c")).endswith("→ c")
