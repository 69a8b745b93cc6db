# SPDX-License-Identifier: MIT
"""Other people's files in, pictures and a table out: small samples in their published formats."""

import csv
import json

import pytest

from benchmarks.external import overlay_bench, seven_bench
from benchmarks.external.painting import main
from benchmarks.external.request import SampleError, coverage, fraction, saying

SEVEN = """id,category,prompt,obj1,bbox1,obj2,bbox2,obj3,bbox3,obj4,bbox4
900,object_binding,A tree,tree,"64,128,256,512",,,,,,
901,small_bboxes,"A car, a bus and a car",car,"0,0,64,64",bus,"256,256,384,320",car,"448,0,600,64",,
902,overlapping_bboxes,A duck and an apple,duck,"485,474,485,474",apple,"(10,20,30,40)",,,,
"""


def overlay_row(identity: str, caption: str, instances: dict[str, tuple[str, list[float]]]) -> str:
    """A row as the data set's own exporter writes it: the annotation is Python's way of writing a dict."""
    annotations = {
        name: {"bbox": box, "category": category, "local_prompts": f"a {category}"}
        for name, (category, box) in instances.items()
    }
    annotation = {"caption": caption, "annotations": annotations, "relations": {}, "valid_overlap": []}
    return json.dumps({"image_id": identity, "annotation": str(annotation)})


@pytest.fixture
def seven(tmp_path):
    file = tmp_path / "7bench.csv"
    file.write_text(SEVEN)
    return file


@pytest.fixture
def overlay(tmp_path):
    file = tmp_path / "hard.jsonl"
    rows = [
        overlay_row("000012", "A castle on a meadow.", {"castle_1": ("castle", [0, 512, 512, 1024])}),
        overlay_row("000013", "Two cars", {"a": ("car", [0, 0, 100, 100]), "b": ("car", [200, 0, 300, 100])}),
    ]
    file.write_text("\n".join(rows) + "\n\n")
    return file


def test_seven_bench_is_read(seven):
    one, two, three = seven_bench.requests(seven)
    assert (one.name, one.group, one.prompt, one.file) == ("900", "object_binding", "A tree", "{seed}/900.png")
    assert one.boxes == {"tree": [(0.125, 0.25, 0.5, 1.0)]}
    assert list(two.boxes) == ["car", "bus"] and two.boxes["car"] == [
        (0.0, 0.0, 0.125, 0.125),
        (0.875, 0.0, 1.0, 0.125),
    ]
    assert three.boxes["apple"] == [(10 / 512, 20 / 512, 30 / 512, 40 / 512)]


def test_overlay_bench_is_read(overlay):
    one, two = overlay_bench.requests(overlay)
    assert (one.name, one.group, one.file) == ("000012", "hard", "hard/{seed}/000012.png")
    assert one.prompt == "A castle on a meadow." and one.boxes == {"castle": [(0.0, 0.5, 0.5, 1.0)]}
    assert two.prompt == "Two cars, car" and len(two.boxes["car"]) == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,prompt\n1,x\n", "no column bbox1, category, obj1"),
        (SEVEN.replace("64,128,256,512", "64,128,256"), "a box has four numbers"),
        (SEVEN.replace("64,128,256,512", "256,128,64,512"), "ends before it begins"),
        (SEVEN.replace("64,128,256,512", "left"), "is no box"),
    ],
)
def test_what_is_no_seven_bench_is_said(tmp_path, text, problem):
    file = tmp_path / "x.csv"
    file.write_text(text)
    with pytest.raises(SampleError, match=problem):
        list(seven_bench.requests(file))


@pytest.mark.parametrize(
    "line", ["[]", "{}", '{"image_id": 1, "annotation": "f()"}', '{"image_id": 1, "annotation": "{}"}']
)
def test_what_is_no_overlay_bench_is_said(tmp_path, line):
    file = tmp_path / "simple.jsonl"
    file.write_text(line)
    with pytest.raises(SampleError):
        list(overlay_bench.requests(file))


def test_boxes_cover_what_they_enclose():
    assert fraction([-10, 0, 50, 200], 100, "x") == (0.0, 0.0, 0.5, 1.0)
    mask = coverage([(0.25, 0.5, 0.75, 1.0)], 8)
    assert mask.sum() == 16 and mask[4:, 2:6].all()
    assert coverage([(0.9, 0.9, 0.9, 0.9)], 8).sum() == 1
    assert coverage([(1.0, 1.0, 1.0, 1.0)], 8).sum() == 1
    assert saying("A big car.", ["car", "red bus"]) == "A big car, red bus"
    assert saying("A scarf", ["car"]) == "A scarf, car"


@pytest.mark.timeout(600)
def test_a_folder_of_pictures_and_a_table_come_out(seven, tmp_path, capsys):
    out = tmp_path / "out"
    words = [str(seven), "--format", "7bench", "--out", str(out), "--limit", "2", "--json"]
    assert main(words) == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures) == ["all", "object_binding", "small_bboxes"]
    assert figures["all"]["pictures"] == 2 and figures["all"]["phrases"] == 3
    assert sorted(path.name for path in (out / "0").iterdir()) == ["900.png", "901.png"]
    with (out / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["phrase"] for row in rows] == ["tree", "car", "bus"]
    assert all(row["by"] == "judge" and not row["refused"] for row in rows)


def test_what_cannot_be_painted_is_a_line_of_the_table(tmp_path, capsys):
    file, out = tmp_path / "simple.jsonl", tmp_path / "out"
    long = "a car and a bus and a bear and a duck and " * 8
    file.write_text(overlay_row("1", long, {"a": ("car", [0, 0, 512, 512])}))
    assert main([str(file), "--format", "overlaybench", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["all"] | {"present": 0, "box": 0, "auc": 0} == {
        "pictures": 0,
        "phrases": 0,
        "refused": 1,
        "present": 0,
        "box": 0,
        "auc": 0,
    }
    assert "tokens" in (out / "table.csv").read_text()


def test_a_file_of_another_form_is_a_sentence(tmp_path, capsys):
    file = tmp_path / "x.csv"
    file.write_text("a,b\n")
    assert main([str(file), "--format", "7bench"]) == 1
    assert "is no 7bench.csv" in capsys.readouterr().err
