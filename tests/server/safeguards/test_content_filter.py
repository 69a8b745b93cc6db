# SPDX-License-Identifier: MIT
"""A content filter of an installed package: asked before painting and after, and a job that it refuses says why."""

import pytest

from server.cli.serve import main
from server.safeguards.content_filter import GROUP, NoFilter
from tests.server.safeguards.test_digital_source import painted
from tests.server.serving import ROOT, environment, serving

FILTER = """
import io, os, time
from PIL import Image

class Strict:
    def request(self, blockout):
        if "explode" in blockout.prompt:
            raise RuntimeError("secret words")
        if "think" in blockout.prompt:
            time.sleep(3600)
        if "forget" in blockout.prompt:
            return None
        return "Knights are not painted here." if "knight" in blockout.prompt else ""

    def picture(self, png, blockout):
        if "late" in blockout.prompt:
            raise KeyError("secret words")
        red = Image.open(io.BytesIO(png)).convert("RGB").getpixel((0, 0))[0]
        return "The picture is too red." if red > 200 else ""
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with the filter, as pip installs one: its module, and beside it its entry points."""
    site = tmp_path / "site"
    metadata = site / "strict_filter-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "strict_filter.py").write_text(FILTER)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strict-filter\nVersion: 1.0\n")
    points = f"[{GROUP}]\nstrict = strict_filter:Strict\nabsent = strict_filter:Absent\n"
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setattr("tests.server.serving.environment", lambda home: environment_with(site, home))
    return site


def environment_with(site, home):
    return {**environment(home), "PYTHONPATH": f"{ROOT}:{site}"}


def test_it_is_asked_before_and_after(tmp_path, package):
    with serving(tmp_path / "home", "--filter", "strict") as served:
        assert len(painted(served, seed=7)) == 2
        refused = served.reaches(served.submit(prompt="a knight and a cat", seed=1))
        red = served.reaches(served.submit(seed=255, prompt="slow cat", steps=40))
        broken = [served.reaches(served.submit(prompt=f"a cat, {when}")) for when in ("explode", "late")]
        log = served.output.read_text()
        kept = [path.name for path in (served.home / "shelf").iterdir()]
    assert [job["state"] for job in (refused, red, *broken)] == ["failed"] * 4
    assert (refused["problem"]["type"], refused["problem"]["status"]) == ("content-refused", 422)
    assert refused["problem"]["detail"] == "Knights are not painted here." and refused["problem"]["fix"]
    assert refused["phase"] == "" and refused["step"] == 0, "nothing was painted"
    assert red["problem"]["detail"] == "The picture is too red." and red["artifacts"] == []
    assert [job["problem"]["type"] for job in broken] == ["filter-failed"] * 2
    assert "secret words" not in str(broken) and "secret words" in log
    assert len(kept) == 2, "no preview, and no refused picture"


def test_one_that_says_nothing_has_not_said_yes(tmp_path, package):
    with serving(tmp_path / "home", "--filter", "strict") as served:
        job = served.reaches(served.submit(prompt="a cat to forget"))
    assert (job["state"], job["problem"]["type"], job["artifacts"]) == ("failed", "filter-failed", [])


def test_one_that_never_answers_can_be_cancelled(tmp_path, package):
    """And others are painted then."""
    with serving(tmp_path / "home", "--filter", "strict") as served:
        job = served.submit(prompt="a cat to think of")
        served.reaches(job, "leased")
        served.request("POST", f"/v1/jobs/{job}/cancel", b"")
        assert len(painted(served, seed=7)) == 2
        assert served.job(job)["state"] == "cancelled"


def test_one_that_is_not_installed_is_said_before_anything_starts(tmp_path, package):
    with pytest.raises(NoFilter, match=r"'gentle'.*absent, strict"):
        main(["--home", str(tmp_path / "home"), "--filter", "gentle"])


def test_one_that_cannot_be_loaded_paints_nothing(tmp_path, package):
    with serving(tmp_path / "home", "--filter", "absent") as served:
        job = served.submit()
        trouble = ""
        while not trouble:
            trouble = served.json("GET", "/v1/health")[1]["trouble"]
        assert "content filter absent cannot be loaded" in trouble
        assert served.job(job)["state"] == "queued"
