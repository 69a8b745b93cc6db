# SPDX-License-Identifier: MIT
"""What a machine is offered: the build of torch for what it has."""

import pytest

from addon.installation.torch_builds import Machine, amount, builds, choose, dependencies, requirement, this_machine


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (Machine(system="linux"), "CPU"),
        (Machine(system="linux", nvidia=True), "CUDA"),
        (Machine(system="linux", amd=True), "ROCM"),
        (Machine(system="linux", nvidia=True, amd=True), "CUDA"),
        (Machine(system="win32"), "CPU"),
        (Machine(system="win32", nvidia=True), "CUDA"),
        (Machine(system="darwin"), "MPS"),
    ],
)
def test_the_build_that_suits_comes_first(machine: Machine, name: str) -> None:
    assert builds(machine)[0].name == choose(machine).name == name
    assert all(0 < build.download < build.disk for build in builds(machine))


def test_another_may_be_chosen_and_one_of_another_system_may_not() -> None:
    machine = Machine(system="linux", nvidia=True)
    assert choose(machine, "CPU").name == "CPU"
    assert choose(machine, "MPS").name == choose(machine, "AUTO").name == "CUDA"


def test_pip_is_told_the_very_build() -> None:
    cpu = choose(Machine(system="linux"))
    assert requirement(cpu, "2.13.0", offline=False) == (
        "torch==2.13.0+cpu",
        "--no-deps",
        "--extra-index-url",
        cpu.index,
    )
    assert requirement(cpu, "2.13.0", offline=True) == ("torch==2.13.0",)
    assert requirement(choose(Machine(system="darwin")), "2.13.0", offline=False) == ("torch==2.13.0",)
    assert requirement(cpu, "", offline=False) == ("torch",)
    rocm = choose(Machine(system="linux", amd=True))
    assert dependencies(rocm, offline=False) == ("--extra-index-url", rocm.index)
    assert dependencies(rocm, offline=True) == dependencies(cpu, offline=False) == ()


def test_this_machine_is_one_of_them() -> None:
    assert builds(this_machine())


def test_sizes_are_said_as_people_say_them() -> None:
    assert [amount(megabytes) for megabytes in (3.2, 300, 6500)] == ["3 MB", "300 MB", "6.5 GB"]
