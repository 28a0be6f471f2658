"""The annotation app against the real Label Studio, and its page in a real Chromium."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

import numpy as np
import psutil
import pytest
from label_studio_lab import Lab, call, point, write_image
from labelling_page import LabellingPage

from annotate.client import Client
from annotate.home import COPIES
from annotate.installation import install
from annotate.landmarks import EYES, PRESETS
from annotate.server import running
from annotate.setting_up import set_up_points
from annotate.tasks import Plan
from biaskit.errors import ServerError
from biaskit.study import Study

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
ENVIRONMENT = "LABEL_STUDIO_API_KEY"


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    "One server for all tests here: a fresh one takes half a minute"
    try:
        install()
    except ServerError as error:
        pytest.skip(f"Label Studio cannot be installed here: {error}")
    lab = Lab(tmp_path_factory.mktemp("lab") / "study")
    try:
        lab.run("start")
        yield lab
    finally:
        call("annotate", "stop", "--study", lab.study)


@pytest.fixture
def lab(laboratory):
    "Running, whatever the test before did to it"
    if running(laboratory.home) is None:
        laboratory.run("start")
    return laboratory


@pytest.fixture
def photographs(tmp_path):
    "Upright, turned by EXIF, and with a name that has to be quoted in an address"
    folder = tmp_path / "photos" / "n02097474"
    return {
        "land": write_image(folder / "land.JPEG", (500, 375)),
        "turned": write_image(folder / "turned.JPEG", (500, 375), orientation=6),
        "h name #1 é": write_image(folder / "h name #1 é.JPEG", (400, 300)),
        "last": write_image(folder / "last.JPEG", (300, 400)),
    }


@pytest.mark.skipif(not shutil.which("chromium"), reason="no chromium on this machine")
def test_points_marked_in_the_page_come_back_within_a_screen_pixel(lab, photographs):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    folder = photographs["land"].parent
    lab.run("setup", folder, "--title", "In the page", "--repeats", 0)
    assert "nobody has marked anything yet" in lab.run("pull")
    project = lab.home.projects()["In the page"]["id"]
    tasks = {task["data"]["image_id"]: task["id"] for task in lab.export("In the page")}
    clicked = {"land": [(0.6, 0.35), (0.4, 0.4)], "turned": [(0.65, 0.6), (0.6, 0.4)]}
    clicked["h name #1 é"] = [(0.1, 0.9), (0.95, 0.05)]
    screen = {}
    login = lab.home.login()
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = LabellingPage(browser, lab.client.url, login.email, login.password)
        for name, (left, right) in clicked.items():
            box = screen[name] = page.open(project, tasks[name])
            page.mark("q", box, *left)
            page.mark("w", box, *right)
            if name == "turned":
                page.press("s")  # the right eye is hidden
            page.submit()
        page.open(project)  # the last image, in the stream of what is left
        page.press("e")  # no eyes to be seen
        page.submit()
        outside = page.outside
        page.close()
        browser.close()
    assert outside == []  # the page asked nobody but the server
    lab.run("pull")
    marks = Study(lab.study).read("keypoints")
    marks = marks[marks["image_id"].isin(photographs)]
    for name, places in clicked.items():
        box = screen[name]
        for label, (x, y) in zip(EYES.points, places, strict=True):
            (row,) = marks[(marks["image_id"] == name) & (marks["point"] == label)].itertuples()
            # A click lands on whole screen pixels, so it may be half of one off.
            assert abs(row.x - x) * box["width"] < 1
            assert abs(row.y - y) * box["height"] < 1
            hidden = (name, label) == ("turned", "right_eye")
            assert row.visibility == ("occluded" if hidden else "visible")
    turned = marks[marks["image_id"] == "turned"].iloc[0]
    assert (turned["image_width"], turned["image_height"]) == (375, 500)
    last = marks[marks["image_id"] == "last"]
    assert set(last["visibility"]) == {"absent"}
    assert set(marks["annotator"]) == {"A1"}
    assert (marks["lead_time"] > 0).all()
    told = lab.run("status")
    assert "In the page: 4 of 4 tasks done, 0 left" in told
    assert "A1: 4 done, 0 skipped, 0 left" in told


SD = {"A1": 2.0, "A2": 3.0}  # px, of each axis
BIAS = {"A1": (0.0, 0.0), "A2": (1.5, -1.0)}


def test_the_errors_of_two_simulated_annotators_are_recovered(lab, tmp_path):
    "Known spread, known bias, one image with left and right exchanged, one that only A1 marks"
    size, rng = (500, 400), np.random.default_rng(20180530)
    names = [f"n02504013_{k:02}" for k in range(50)]
    for name in names:
        write_image(tmp_path / "photos" / f"{name}.JPEG", size)
    options = ["--annotators", 2, "--shared", 1, "--repeats", 0.4, "--title", "Simulated"]
    told = lab.run("setup", tmp_path / "photos", "--preset", "elephant", *options)
    assert "50 images" in told
    users = lab.users()
    numbers = {name: users[email] for name, (email, _) in lab.home.login().people.items()}
    assert set(numbers) >= {"A1", "A2"}
    truth = {name: rng.uniform((150, 100), (350, 300)) for name in names}
    for task in lab.export("Simulated"):
        name = task["data"]["image_id"]
        for who in ("A1", "A2"):
            spots = truth[name] + np.array([[40, 0], [-40, 0]]) + BIAS[who]
            spots = spots + rng.normal(0, SD[who], (2, 2))
            if who == "A2" and name == names[7]:
                spots = spots[::-1]
            regions = [point(p, *xy, size) for p, xy in zip(EYES.points, spots, strict=True)]
            if who == "A2" and name == names[9]:
                regions = regions[:1]
            lab.annotate(task["id"], regions, numbers[who], seconds=2.0 if who == "A1" else 4.0)
    lab.run("pull")
    lab.run("agreement")
    table = Study(lab.study).read("agreement")
    table = table[(table["category"] == "n02504013")]
    between = table[(table["kind"] == "between") & (table["point"].isin(EYES.points))]
    within = table[table["kind"] == "within"]
    for k, axis in enumerate("xy"):
        rows = between[between["quantity"] == axis]
        n = rows["n"].sum()
        assert n == 97  # 50 and 50, less two that are swapped and one that is not there
        sd = np.hypot(SD["A1"], SD["A2"])
        # Four standard errors each: of a mean sd / sqrt(n), of a deviation sd / sqrt(2 (n - 2)).
        assert abs(np.average(rows["mean"], weights=rows["n"]) + BIAS["A2"][k]) < 4 * sd / np.sqrt(
            n
        )
        pooled = np.sqrt(np.average(rows["sd"] ** 2, weights=rows["n"] - 1))
        assert abs(pooled - sd) < 4 * sd / np.sqrt(2 * (n - 2))
        for who in ("A1", "A2"):
            own = within[(within["annotator"] == who) & (within["quantity"] == axis)]
            error, m = np.sqrt((own["error"] ** 2).mean()), own["n"].sum()
            assert m > 20
            assert abs(error - SD[who]) < 4 * SD[who] / np.sqrt(2 * (m - 2))
    assert set(between["n_swapped"]) == {1}
    assert sorted(between["n_one"].unique()) == [0, 1]
    seconds = table[table["quantity"] == "seconds"].set_index("annotator")["median"]
    assert seconds.to_dict() == {"A1": 2.0, "A2": 4.0}


def test_two_thousand_tasks_are_set_up_and_pulled_and_never_twice(lab, tmp_path, capsys):
    size = (64, 48)
    first = write_image(tmp_path / "photos" / "n02097474_0000.JPEG", size).read_bytes()
    for k in range(1, 2000):
        (tmp_path / "photos" / f"n02097474_{k:04}.JPEG").write_bytes(first)
    times = {}
    for what, arguments in (
        ("set up", ("setup", tmp_path / "photos", "--title", "Many", "--repeats", 0)),
        ("set up again", ("setup", tmp_path / "photos", "--title", "Many", "--repeats", 0)),
        ("pulled", ("pull", "--project", "Many")),
    ):
        if what == "pulled":
            task = lab.export("Many")[0]["id"]
            regions = [point(p, 10, 10, size) for p in EYES.points]
            lab.annotate(task, regions, lab.users()["a1@biaskit.example"])
        began = time.monotonic()
        told = lab.run(*arguments)
        times[what] = time.monotonic() - began
        if what != "pulled":
            assert ("2,000 added" if what == "set up" else "0 added, 2,000 there") in told
    assert len(lab.export("Many")) == 2000
    with capsys.disabled():
        print("\n2,000 tasks:", ", ".join(f"{k} in {v:.1f} s" for k, v in times.items()))


@dataclass
class Impatient(Client):
    "Kills the server, without warning, while it imports"

    victim: int = 0

    def post(self, path, body):
        if path.endswith("/import"):
            threading.Timer(0.1, os.kill, (self.victim, signal.SIGKILL)).start()
        return super().post(path, body)


def test_a_server_killed_while_importing_leaves_nothing_twice_and_loses_no_mark(lab, tmp_path):
    size = (64, 48)
    for k in range(1500):
        write_image(tmp_path / "photos" / f"n02097474_{k:04}.JPEG", size)
    lab.run("setup", tmp_path / "photos", "--title", "Killed", "--per-category", 20, "--repeats", 0)
    marked = lab.export("Killed")[0]["id"]
    lab.annotate(marked, [point("left_eye", 9, 9, size)], lab.users()["a1@biaskit.example"])
    copies = len(list((lab.home.folder / "copies").iterdir()))
    pid, address = lab.pid, lab.client.url
    # The import of 1,480 tasks takes several tenths of a second even on a calm machine.
    impatient = Impatient(lab.client.url, lab.client.token, own=True, victim=pid)
    plan, options = Plan(), {"categories": ["n02097474"], "title": "Killed"}
    told = ""
    try:
        set_up_points(lab.home, impatient, tmp_path / "photos", EYES, plan, **options)
    except ServerError as error:
        told = str(error)
    # A very fast machine is done before the kill; what must hold afterwards is the same.
    assert not told or re.search("the server stopped while it was asked.*Nothing is lost", told)
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=1).close()
        except OSError:
            break
        time.sleep(0.1)
    there = list((lab.home.folder / "copies").iterdir())
    assert len(there) > copies or copies == COPIES
    assert "does not run" in lab.run("pull", status=1)
    assert "not running" in lab.run("status")
    lab.run("start")
    lab.run("setup", tmp_path / "photos", "--title", "Killed", "--repeats", 0)
    export = lab.export("Killed")
    assert len(export) == 1500
    assert len({task["data"]["image_id"] for task in export}) == 1500
    assert sum(len(task["annotations"]) for task in export) == 1


def test_only_images_are_served_and_only_to_those_who_log_in(lab, tmp_path):
    "Label Studio follows links out of the folder it serves; so none is ever put there"
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    folder = tmp_path / "photos"
    real = write_image(tmp_path / "elsewhere" / "n02097474_1.JPEG", (64, 48))
    folder.mkdir()
    (folder / "n02097474_1.JPEG").symlink_to(real)
    (folder / "n02097474_2.JPEG").symlink_to(secret)
    told = lab.run("setup", folder, "--title", "Links", "--repeats", 0)
    assert "left out n02097474_2.JPEG: no picture that can be read" in told
    laid = [path for path in lab.home.images.rglob("*") if path.is_symlink()]
    assert not laid
    (task,) = lab.export("Links")
    address = lab.client.url + task["data"]["image"]
    ask = urllib.request.Request(address, headers={"Authorization": f"Token {lab.client.token}"})
    assert urllib.request.urlopen(ask).read() == real.read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(address)


def test_what_goes_wrong_is_said_in_one_line(lab, tmp_path, photographs):
    folder = photographs["land"].parent
    url = lab.client.url
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = tmp_path / "other"
        done = call("annotate", "start", "--port", port, "--study", other)
        assert done.returncode == 1
        assert done.stderr.startswith(f"biaskit: --port {port}: is in use")
        assert done.stderr.endswith("Choose another, or leave --port out.\n")
        assert not (other / "annotate" / "label-studio").exists()
    wrong = {ENVIRONMENT: "a" * 40}
    told = lab.run("setup", folder, "--url", url, status=1, env=wrong)
    assert f"{url}: refuses the token in {ENVIRONMENT}" in told
    told = lab.run("setup", folder, "--url", url, status=1, env={ENVIRONMENT: ""})
    assert f"needs a token in the environment variable {ENVIRONMENT}" in told
    told = lab.run("pull", "--url", "http://127.0.0.1:9", status=1, env=wrong)
    assert told.startswith("biaskit: http://127.0.0.1:9: no server answers")
    told = lab.run("pull", "--project", "Nobody's", status=1)
    assert 'has no project "Nobody\'s", it has' in told
    lab.run("setup", folder, "--title", "Gone", "--repeats", 0)
    lab.client._content("DELETE", f"/api/projects/{lab.home.projects()['Gone']['id']}/", None)
    told = lab.run("pull", "--project", "Gone", status=1)
    assert "has no project" in told
    assert told.count("\n") == 1
    here = {ENVIRONMENT: lab.client.token}
    told = lab.run("setup", folder, "--url", url, "--title", "Two", status=1, env=here)
    assert "annotators of two servers have the same numbers" in told
    told = lab.run("setup", folder, "--title", "ab", status=1)
    assert "title 'ab' has 2 characters, expected 3 to 50" in told
    lab.run("setup", folder, "--title", "Gone", "--repeats", 0)  # made anew
    told = lab.run("setup", folder, "--title", "Gone", "--pair", "stem", "base", status=1)
    assert "is there and asks something else" in told


def test_another_server_is_used_with_its_address_and_a_token_of_either_kind(
    lab, photographs, tmp_path
):
    "Its tasks hold the images themselves; here the study's server plays the other one"
    client = lab.client
    access = client.post("/api/token/", {})
    folder = photographs["land"].parent
    for kind, token in (("legacy", client.token), ("personal", access["token"])):
        env = {ENVIRONMENT: token}
        study = tmp_path / kind
        elsewhere = Lab(study)
        assert "takes the token" in elsewhere.run("start", "--url", client.url, env=env)
        title = f"Elsewhere {kind}"
        elsewhere.run(
            "setup", folder, "--url", client.url, "--title", title, "--repeats", 0, env=env
        )
        project = elsewhere.home.projects()[title]["id"]
        task = json.loads(client.raw_export(project))[0]
        assert task["data"]["image"].startswith("data:image/jpeg;base64,")
        lab.annotate(task["id"], [point("left_eye", 9, 9, (500, 375))], 1)
        told = elsewhere.run("pull", "--url", client.url, env=env)
        assert "1 points, 1 images, 1 annotators" in told


def test_marks_are_proposed_with_a_width_and_bad_ones_refused(lab, tmp_path):
    size = (200, 100)
    write_image(tmp_path / "photos" / "n02097474_1.JPEG", size)
    marks = tmp_path / "marks.csv"
    marks.write_text(
        "image_id,category,image_width,image_height,left_eye_x,left_eye_y\n"
        "n02097474_1,n02097474,200,100,50,25\n"
    )
    lab.run("setup", tmp_path / "photos", "--title", "Proposed", "--marks", marks, "--repeats", 0)
    project = lab.home.projects()["Proposed"]["id"]
    (found,) = lab.client.get("/api/predictions/", project=project)
    assert found["model_version"] == "marks of marks.csv"
    (region,) = found["result"]
    assert region["value"] == {"x": 25, "y": 25, "width": 0.5, "keypointlabels": ["left_eye"]}
    region["value"]["keypointlabels"] = ["third_eye"]
    task = {"data": {"image": "x"}, "predictions": [{"result": [region]}]}
    # The server would take it and only log, but for a switch in our settings.
    with pytest.raises(ServerError, match="answers 400"):
        lab.client.post(f"/api/projects/{project}/import", [task])


def test_answers_of_people_become_rows_of_robustness(lab, photographs):
    pytest.importorskip("cv2", reason="canvases need OpenCV")
    folder = photographs["land"].parents[1]
    lab.run("humans", folder, "--per-category", 3, "--annotators", 2, "--neighbours", 3)
    tasks = lab.export("What is it?")
    assert len(tasks) == 3
    assert "n02097474" not in json.dumps([task["data"] for task in tasks])
    words = lab.home.projects()["What is it?"]["words"]
    right, wrong = words["n02097474"], next(w for n, w in words.items() if n != "n02097474")
    assert all({"value": right} in task["data"]["near"] for task in tasks)
    users = lab.users()
    for task, near, everything in zip(tasks, (right, right, wrong), (0, 1, 1), strict=True):
        kind, value = ("taxonomy", [[near]]) if everything else ("choices", [near])
        region = {"from_name": "any" if everything else "near", "to_name": "image", "type": kind}
        answer = [{**region, "value": {kind: value}}]
        lab.annotate(task["id"], answer, users["a2@biaskit.example"], seconds=5.0)
    lab.run("pull")
    table = Study(lab.study).read("robustness")
    assert table["network"].unique().tolist() == ["people A2"]
    assert table["correct_top1"].tolist() == [1, 1, 0] or sorted(table["correct_top1"]) == [0, 1, 1]
    assert set(table["image_id"]) <= set(photographs)
    assert (table["scale"] == 0.5).all()
    assert (table["seconds"] == 5).all()
    assert (table[["dx", "dy"]].abs() <= 0.25 + 1 / 224).all().all()


def test_the_sdk_of_the_server_finds_nothing_wrong_with_our_pages(lab, tmp_path):
    "An independent check: its own validator, in its own environment"
    python = install()
    pages = [landmarks.config() for landmarks in PRESETS.values()]
    code = (
        "import json, sys\nfrom label_studio_sdk.label_interface import LabelInterface\n"
        "for config in json.load(sys.stdin): LabelInterface(config).validate()\n"
    )
    done = subprocess.run(
        [python, "-c", code], input=json.dumps(pages), capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_stop_touches_only_the_process_it_started_and_start_finds_the_data_again(lab):
    before = {title: project["id"] for title, project in lab.home.projects().items()}
    assert psutil.Process(lab.pid).net_connections("tcp")[0].laddr.ip == "127.0.0.1"
    assert (lab.home.folder / "login.json").stat().st_mode & 0o077 == 0
    noted = lab.home.folder / "server.json"
    true = json.loads(noted.read_text())
    # As if the number had gone to another program since.
    for lie in ({"started": true["started"] - 100}, {"command": ["python", "other.py"]}):
        noted.write_text(json.dumps(true | lie))
        assert "no server of its own was running" in lab.run("stop")
        assert psutil.pid_exists(true["pid"])
    noted.write_text(json.dumps(true))
    assert "stopped; its data stay" in lab.run("stop")
    assert running(lab.home) is None
    assert "no server of its own was running" in lab.run("stop")
    lab.run("start")
    assert lab.pid != true["pid"]
    assert running(lab.home).port == true["port"]
    assert "runs (process" in lab.run("start")  # a second start leaves it as it is
    for number in before.values():
        assert lab.client.raw_export(number)
