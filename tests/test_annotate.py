"""Around Label Studio, without a server: pages, tasks, images, settings, files, what is said."""

import json
import socket
import sqlite3
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from PIL import Image

from annotate import installation, server
from annotate.client import Client
from annotate.home import COPIES, Home, Login
from annotate.images import choose_images, lay_out, shown_size
from annotate.importing import _check_widths
from annotate.landmarks import EYES, PRESETS, Landmarks, check_config, find_landmarks
from annotate.people import name_annotators
from annotate.progress import progress_of
from annotate.project import Page, find_project
from annotate.settings import environment
from annotate.tasks import Plan, make_tasks, missing_tasks, predictions_of
from biaskit.annotations.keypoints import read_keypoints
from biaskit.cli import main
from biaskit.errors import ServerError
from biaskit.study import Study
from biaskit.tables import KEYPOINTS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def photos(tmp_path):
    "Thirty photographs of two categories"
    for wnid, n in (("n02097474", 20), ("n02504013", 10)):
        (tmp_path / "photos" / wnid).mkdir(parents=True)
        for k in range(n):
            image = Image.new("RGB", (40 + k, 30), (k, k, k))
            image.save(tmp_path / "photos" / wnid / f"{wnid}_{k}.JPEG")
    return tmp_path / "photos"


def chosen(folder, **options):
    return choose_images(folder, **({"per_category": None, "seed": 1} | options))[0]


def tasks_of(images, plan, **options):
    addresses = {shown.image.image_id: shown.image.file for shown in images}
    return make_tasks(images, addresses, plan, **options)


# The page


@pytest.mark.parametrize("landmarks", [EYES, *PRESETS.values(), Landmarks(("nose", "tail"))])
def test_every_page_asks_for_two_points_and_reads_back_as_they_are_named(landmarks, tmp_path):
    "What a page can answer, the reader understands: visible, hidden, absent, one of both, none"
    check_config(landmarks.config())
    view = ElementTree.fromstring(landmarks.config())
    assert [label.get("value") for label in view.iter("Label")] == list(landmarks.points)
    assert all(label.get("maxUsages") == "1" for label in view.iter("Label"))
    first, second = landmarks.points
    none, one, several = landmarks.reasons

    def mark(point):
        value = {"x": 10, "y": 20, "width": 0.5, "keypointlabels": [point]}
        size = {"original_width": 50, "original_height": 40, "image_rotation": 0}
        return {
            "type": "keypointlabels",
            "from_name": "points",
            "id": point,
            "value": value,
            **size,
        }

    def answer(name, word):
        return {"type": "choices", "from_name": name, "id": name, "value": {"choices": [word]}}

    results = {
        "both": [mark(first), mark(second)],
        "hidden": [mark(first), mark(second), answer(f"{second}_seen", "occluded")],
        "absent": [mark(first), answer(f"{second}_seen", "absent")],
        "one": [mark(second), answer("reason", one)],
        "none": [answer("reason", none)],
        "several": [answer("reason", several)],
    }
    tasks = [
        {
            "id": k,
            "data": {"image": f"{name}.jpg", "image_id": name, "category": "dog"},
            "annotations": [{"id": k, "completed_by": 1, "result": result, "lead_time": 1}],
        }
        for k, (name, result) in enumerate(results.items())
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    table = read_keypoints([tmp_path / "export.json"]).keypoints
    found = {
        name: dict(zip(rows["point"], rows["visibility"], strict=True))
        for name, rows in table.groupby("image_id")
    }
    assert found == {
        "both": {first: "visible", second: "visible"},
        "hidden": {first: "visible", second: "occluded"},
        "absent": {first: "visible", second: "absent"},
        "one": {first: "absent", second: "visible"},
        "none": {first: "absent", second: "absent"},
    }


def test_the_instruction_says_whose_left_how_to_undo_and_how_to_see_all():
    text = EYES.instruction()
    assert "Left and right are the animal's own" in text
    assert "Ctrl+Z" in text
    assert "Shift+1" in text
    keys = [tag.get("hotkey") for tag in ElementTree.fromstring(EYES.config()).iter()]
    for key in filter(None, keys):
        assert f"<b>{key}</b>" in text


def test_the_paper_s_five_categories_are_ready_made():
    named = {wnid for preset in PRESETS.values() for wnid in preset.categories}
    assert named == {"n02097474", "n02504013", "n02504458", "n07753275", "n07693725", "n03874293"}
    assert find_landmarks(None, "pineapple").points == ("stem", "base")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("</View>", ""), "labelling configuration: "),
        (('value="$image"', 'value="image"'), "names no field of the task, expected $image"),
        (('toName="image"', 'toName="imag"'), "points is of no image in it"),
        (('value="right_eye"', 'value="left_eye"'), "value of points 'left_eye' is used twice"),
        (('hotkey="w"', 'hotkey="q"'), "hotkey 'q' is used twice"),
    ],
)
def test_a_page_that_label_studio_would_take_and_spoil_is_refused(change, words):
    with pytest.raises(ServerError) as raised:
        check_config(EYES.config().replace(*change, 1))
    assert words in str(raised.value)


@pytest.mark.parametrize("points", [("Left eye", "b"), ("a", "a"), ("", "b")])
def test_points_that_cannot_be_told_apart_in_a_table_are_refused(points):
    with pytest.raises(ServerError):
        Landmarks(points)


@pytest.mark.parametrize("title", ["ab", "  ab  ", "x" * 51])
def test_a_title_that_the_server_refuses_is_refused_before(title):
    with pytest.raises(ServerError, match="expected 3 to 50"):
        Page(title, "points", "", "")


# Images


def test_images_are_drawn_per_category_and_more_are_the_same_and_some(photos):
    few, more = (chosen(photos, per_category=n) for n in (5, 8))
    assert [s.image.category for s in few].count("n02097474") == 5
    assert {s.image.image_id for s in few} < {s.image.image_id for s in more}
    assert chosen(photos, per_category=5, seed=2) != few


def test_what_no_browser_shows_is_left_out_and_said(photos):
    (photos / "n02097474" / "broken.JPEG").write_bytes(b"\xff\xd8 cut short")
    Image.new("RGB", (9, 9)).save(photos / "n02097474" / "scan.tif")
    images, refused = choose_images(photos, per_category=None, seed=1)
    assert len(images) == 30
    assert refused == {
        "n02097474/broken.JPEG": "no picture that can be read",
        "n02097474/scan.tif": "TIFF is not shown by browsers, save it as PNG",
    }


def test_a_turned_photograph_has_the_size_that_the_browser_shows(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (50, 40)).save(tmp_path / "a.jpg", exif=exif)
    assert shown_size(tmp_path / "a.jpg") == (40, 50)


def test_a_category_that_is_not_there_is_said_with_those_that_are(photos):
    with pytest.raises(ServerError, match="there are n02097474, n02504013"):
        chosen(photos, categories=["n00000001"])


def test_images_without_a_category_take_that_of_the_folder_or_the_one_named(tmp_path):
    (tmp_path / "cats").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "cats" / "a.png")
    assert [s.image.category for s in chosen(tmp_path / "cats")] == ["cats"]
    assert [s.image.category for s in chosen(tmp_path / "cats", categories=["x"])] == ["x"]


def test_no_link_is_ever_laid_where_the_server_may_serve(photos, tmp_path):
    link = photos / "n02097474" / "link.JPEG"
    link.symlink_to(photos / "n02504013" / "n02504013_0.JPEG")
    images = chosen(photos)
    place = tmp_path / "root" / "eyes" / "n02097474" / "link.JPEG"
    place.parent.mkdir(parents=True)
    place.symlink_to(link)  # left there by somebody, as is the next
    (tmp_path / "root" / "eyes" / "all").symlink_to("/etc")
    addresses = lay_out(images, tmp_path / "root", "eyes")
    assert not [p for p in (tmp_path / "root").rglob("*") if p.is_symlink()]
    assert place.read_bytes() == link.read_bytes()
    assert addresses["link"] == "/data/local-files/?d=eyes/n02097474/link.JPEG"
    lay_out(images, tmp_path / "root", "eyes")  # again: nothing to do
    assert len([p for p in (tmp_path / "root").rglob("*") if p.is_file()]) == 31


# Tasks


def test_each_image_goes_to_one_annotator_or_to_all_and_more_images_change_nothing(photos):
    plan = Plan(annotators=3, shared=0.3, repeats=0.2, seed=4)
    few, more = (tasks_of(chosen(photos, per_category=n), plan) for n in (5, 20))
    for task in few:
        assert task in more
    for task in more:
        everybody = task["data"]["assigned"] == "[A1] [A2] [A3]"
        assert task["data"]["shared"] == everybody
        assert everybody or task["data"]["assigned"] in ("[A1]", "[A2]", "[A3]")
    repeats = [task["data"]["repeat"] for task in more]
    assert repeats == sorted(repeats)  # they come last
    assert 0 < sum(repeats) < 15
    assert [t["data"]["shared"] for t in tasks_of(chosen(photos), Plan(3, 1.0))] == [True] * 30
    assert not any(t["data"]["shared"] for t in tasks_of(chosen(photos), Plan(1, 1.0)))


def test_only_what_is_new_is_added(photos):
    plan = Plan(repeats=0.5, seed=3)
    few, more = (tasks_of(chosen(photos, per_category=n), plan) for n in (5, 20))
    there = [{"id": k, "annotations": [], **task} for k, task in enumerate(few)]
    new = missing_tasks(more, there)
    assert len(new) == len(more) - len(few)
    assert missing_tasks(more, [*there, *new]) == []
    assert missing_tasks([], there) == []


@pytest.fixture
def marks(photos):
    nan = float("nan")
    shown = (("visible", 0.5), ("occluded", 0.5), ("absent", nan))
    rows = [
        {
            "category": "n02097474",
            "image_id": f"n02097474_{k}",
            "object": 0,
            "annotator": who,
            "annotation": 0,
            "point": "left_eye",
            "visibility": visibility,
            "x": y * factor,
            "y": y,
            "image_width": 40.0,
            "image_height": 30.0,
            "lead_time": 1.0,
            "source": "manual",
        }
        for k, (visibility, y) in enumerate(shown)
        for who, factor in (("A1", 0.5), ("A2", 1.0))
    ]
    return KEYPOINTS.check(pd.DataFrame(rows), "marks")


def test_every_proposed_point_has_a_width_else_it_would_be_lost(photos, marks):
    images = chosen(photos)
    proposed = predictions_of(marks, EYES, images, version="earlier")
    assert set(proposed) == {"n02097474_0", "n02097474_1"}
    (point,) = proposed["n02097474_0"]["result"]
    assert point["value"] == {"x": 25, "y": 50, "width": 0.5, "keypointlabels": ["left_eye"]}
    assert (point["original_width"], point["original_height"]) == (40, 30)
    occluded = proposed["n02097474_1"]["result"]
    assert [region["type"] for region in occluded] == ["keypointlabels", "choices"]
    tasks = tasks_of(images, Plan(repeats=1), predictions=proposed)
    with_marks = [task for task in tasks if "predictions" in task]
    assert len(with_marks) == 2
    assert all(task["data"]["repeat"] == 0 for task in with_marks)  # repeats are made freely
    del point["value"]["width"]
    with pytest.raises(ValueError, match="has no width"):
        _check_widths(with_marks[0], {"result": [point]})


@pytest.mark.parametrize("options", [{"shared": 1.1}, {"repeats": -0.1}, {"annotators": 0}])
def test_a_plan_that_is_none_is_refused(options):
    with pytest.raises(ServerError, match="expected"):
        Plan(**options)


# Progress


def test_drafts_skips_and_second_thoughts_are_counted_apart():
    def entry(who, *, skipped=False, seconds=60.0):
        return {"completed_by": who, "was_cancelled": skipped, "lead_time": seconds}

    tasks = [
        {"data": {"assigned": "[A1] [A2]"}, "annotations": [entry(1), entry(2, skipped=True)]},
        {"data": {"assigned": "[A1] [A2]"}, "annotations": [entry(1, seconds=None)]},
        {"data": {"assigned": "[A1]"}, "annotations": [], "drafts": [{"user": 1}]},
        {"data": {"assigned": "[A2]"}, "annotations": [entry(2, skipped=True), entry(2)]},
    ]
    found = progress_of(tasks, {1: "A1", 2: "A2"})
    assert (found.tasks, found.done, found.left) == (4, 2, 2)
    one, two = found.people["A1"], found.people["A2"]
    assert (one.done, one.skipped, one.left, one.minutes, one.drafts) == (2, 0, 1, 1, 1)
    assert (two.done, two.skipped, two.left, two.minutes, two.drafts) == (1, 1, 1, 3, 0)
    assert progress_of([], {}).tasks == 0


def test_a_name_once_given_stays_when_an_earlier_number_begins_later(tmp_path):
    home = Home(tmp_path / "study")
    assert name_annotators(home, None, [7]) == {7: "A1"}
    assert name_annotators(home, None, [3, 7]) == {3: "A2", 7: "A1"}
    assert set(json.loads((home.folder / "annotators.json").read_text())) == {"3", "7"}


# Settings and files


def test_the_server_hears_nothing_of_our_environment_and_nobody_else_of_it(tmp_path):
    "Plain names such as DEBUG, HOST and PORT would change it"
    outside = {"PATH": "p", "HOME": "h", "DEBUG": "1", "HOST": "x", "LABEL_STUDIO_HOST": "y"}
    made = environment(Home(tmp_path), Login("e", "p", "t"), outside)
    assert {"DEBUG", "HOST", "LABEL_STUDIO_HOST"}.isdisjoint(made)
    assert made["LABEL_STUDIO_SENTRY_DSN"] == made["LABEL_STUDIO_FRONTEND_SENTRY_DSN"] == ""
    assert made["LABEL_STUDIO_COLLECT_ANALYTICS"] == "false"
    root = made["LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT"]
    assert root == str((tmp_path / "annotate" / "images").resolve())


def test_the_login_is_made_once_and_its_owner_s_alone(tmp_path):
    home = Home(tmp_path / "study")
    home.prepare()
    made = home.make_login()
    assert home.make_login() == made
    home.add_login("a2@biaskit.example", "pw")
    assert list(home.login().people) == ["A1", "A2"]
    assert (home.folder / "login.json").stat().st_mode & 0o777 == 0o600
    assert made.token not in repr(Client("http://127.0.0.1:1", made.token))
    (home.folder / "login.json").unlink()
    home.database.write_bytes(b"")
    with pytest.raises(ServerError, match=r"login\.json: is missing, but the server's data are"):
        home.make_login()


def test_the_database_is_copied_whole_while_it_is_in_use_and_five_copies_stay(tmp_path):
    home = Home(tmp_path / "study")
    home.prepare()
    assert home.copy_database() is None
    with sqlite3.connect(home.database) as used:
        used.execute("create table marks (x)")
        used.commit()
        first = home.copy_database()
        assert home.copy_database() is None  # as in the latest copy
        for k in range(COPIES + 2):
            used.execute("insert into marks values (?)", (k,))
            used.commit()
            latest = home.copy_database()
    used.close()
    there = sorted(first.parent.iterdir())
    assert len(there) == COPIES
    assert first not in there
    copy = sqlite3.connect(latest)
    assert copy.execute("select count(*) from marks").fetchone() == (COPIES + 2,)
    copy.close()


def test_an_export_is_kept_whole_and_equal_ones_once(tmp_path):
    home = Home(tmp_path / "study")
    one = home.save_export("eyes", b"[1]")
    assert home.save_export("eyes", b"[1]") == one
    two = home.save_export("eyes", b"[2]")
    assert [path.read_bytes() for path in home.exports("eyes")] == [b"[1]", b"[2]"]
    assert home.exports("eye") == []
    assert two.name.startswith("export-eyes-2")


@pytest.mark.parametrize(
    "action",
    [
        "home.save_export('eyes', b'x' * 9000)",
        "lay_out(choose_images(Path(sys.argv[2]), per_category=None, seed=1)[0], home.images, 'e')",
        "home.copy_database()",
    ],
)
def test_a_full_disk_is_said_in_one_line_and_leaves_what_was_there(action, tmp_path):
    home = Home(tmp_path / "study")
    home.prepare()
    (home.folder / "export-eyes-20200101T000000.json").write_bytes(b"[]")
    with sqlite3.connect(home.database) as used:
        used.execute("create table marks (x)")
        used.executemany("insert into marks values (?)", [("y" * 900,)] * 20)
    used.close()
    (tmp_path / "photos").mkdir()
    Image.effect_noise((200, 200), 50).save(tmp_path / "photos" / "a.png")
    code = f"""
import os, sys, resource
from pathlib import Path
from annotate.home import Home
from annotate.images import choose_images, lay_out
os.link = lambda *_: (_ for _ in ()).throw(OSError("another disk"))
home = Home(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    {action}
except Exception as error:
    print(type(error).__name__, error)
"""
    before = sorted(str(path) for path in home.folder.rglob("*") if path.is_file())
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, home.study, tmp_path / "photos"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.stdout.startswith("ServerError annotate/") or "ServerError export-" in done.stdout
    assert done.stdout.count("\n") == 1
    assert sorted(str(path) for path in home.folder.rglob("*") if path.is_file()) == before


# What is said


@pytest.fixture
def pretender():
    "A server that gives one answer to everything"
    answers = {"status": 200, "body": b"{}"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if answers["status"] is None:  # dies in the middle of its answer
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[{")
                return
            self.send_response(answers["status"])
            self.end_headers()
            self.wfile.write(answers["body"])

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield answers, f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>Welcome", "what answers is no Label Studio; it says '<html>Welcome'"),
        (302, b"", "it has moved. Give the address it moved to as --url"),
        (401, b"{}", "refuses the token in LABEL_STUDIO_API_KEY"),
        (404, b"{}", "has no project 3 (any more)"),
        (400, b'{"detail": "bad", "validation_errors": {"x": ["y"]}}', 'answers 400: {"x": ["y"]}'),
        (500, b'{"detail": "database or disk is full"}', "its disk is full"),
        (None, b"", "the server stopped while it was asked"),
    ],
)
def test_whatever_a_server_answers_becomes_one_line_of_help(pretender, status, body, words):
    answers, url = pretender
    answers.update(status=status, body=body)
    with pytest.raises(ServerError) as raised:
        Client(url, "token").raw_export(3)
    assert str(raised.value).startswith(f"{url}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not Client(url, "token").healthy()


def test_a_server_that_does_not_answer_says_how_to_start_it():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ServerError, match=r"Connection refused.*biaskit annotate start"):
        Client(f"http://127.0.0.1:{port}", "t", own=True).check()


def test_an_installation_that_fails_says_where_and_what_else_can_be_done(tmp_path, monkeypatch):
    monkeypatch.setenv("BIASKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ServerError) as raised:
        installation.install()
    assert "could not be installed: ERROR" in str(raised.value)
    assert "--url" in str(raised.value)
    assert installation.installed() is None  # and the next call begins anew


def test_the_number_of_a_process_alone_is_no_proof_that_it_is_ours(tmp_path):
    home = Home(tmp_path / "study")
    home.prepare()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        noted = {"pid": other.pid, "started": 1.0, "command": ["label-studio"], "port": 8080}
        (home.folder / "server.json").write_text(json.dumps(noted))
        assert server.running(home) is None
        assert server.stop(home) is False
        assert other.poll() is None
        other.kill()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["setup", "PHOTOS"], "has no server yet. To start it: biaskit annotate start"),
        (["pull"], "has no server yet. To start it: biaskit annotate start"),
        (["agreement"], "has no table 'keypoints' yet"),
        (["setup", "PHOTOS", "--preset", "cat"], "--preset 'cat' is unknown"),
        (["setup", "PHOTOS", "--url", "localhost"], "needs a token in the environment variable"),
    ],
)
def test_commands_say_what_is_missing_in_one_line(
    arguments, words, photos, tmp_path, capsys, monkeypatch
):
    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    given = [str(photos) if a == "PHOTOS" else a for a in arguments]
    assert main(["annotate", *given, "--study", str(tmp_path / "study")]) in (1, 2)
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_status_without_a_server_tells_what_was_last_pulled(tmp_path, capsys):
    home = Home(tmp_path / "study")
    home.prepare()
    home.note_project("Eyes", {"id": 1, "url": None, "kind": "points", "points": []})
    assert main(["annotate", "status", "--study", str(home.study)]) == 0
    assert "Eyes: on the study's own server, and never pulled" in capsys.readouterr().out
    task = {"data": {"assigned": "[A1]"}, "annotations": []}
    path = home.save_export("eyes", json.dumps([task]).encode())
    assert main(["annotate", "status", "--study", str(home.study)]) == 0
    out = capsys.readouterr().out
    assert f"Eyes: 0 of 1 tasks done, 1 left, 0.0 minutes (as in {path.name})" in out
    with pytest.raises(ServerError, match="has no project 'Ears', it has 'Eyes'"):
        find_project(home, "Ears")


def test_an_export_file_is_read_without_server_and_without_client_library(tmp_path, capsys):
    sample = ROOT.parent / "shared" / "data" / "label_studio_export_sample.json"
    if not sample.exists():
        pytest.skip("the recorded export is not on this machine")
    study = tmp_path / "study"
    arguments = ["annotate", "pull", str(sample), "--category", "dog", "--study", str(study)]
    assert main(arguments) == 0
    assert "18 points, 8 images, 2 annotators" in capsys.readouterr().out
    assert main(arguments) == 0  # again: nothing twice
    capsys.readouterr()
    table = Study(study).read("keypoints")
    assert sorted(table["annotator"].unique()) == ["A1", "A2"]
    assert len(table) == 18
    assert main(["annotate", "agreement", "--study", str(study)]) == 0
    assert "A1 - A2: similarity 0.998" in capsys.readouterr().out
    code = "import sys; sys.modules['label_studio_sdk'] = None\nfrom biaskit.cli import main\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main({arguments!r}))"],
        cwd=ROOT,
        capture_output=True,
    )
    assert done.returncode == 0
