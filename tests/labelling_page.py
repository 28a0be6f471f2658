"""The labelling page in a real Chromium, used as a person would: keys, clicks, submit."""

import re


class LabellingPage:
    "Logged in; every wait has a limit, so a changed page fails instead of hanging"

    def __init__(self, browser, url, email, password):
        # Every size below is in screen pixels of this window.
        self.context = browser.new_context(viewport={"width": 1280, "height": 900})
        self.page, self.url = self.context.new_page(), url
        self.outside = []
        self.page.on("request", lambda r: self._note(r.url))
        self.page.goto(f"{url}/user/login/")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(re.compile(r"^(?!.*/user/login)"), timeout=60_000)

    def _note(self, address):
        if not address.startswith((self.url, "data:", "blob:")):
            self.outside.append(address)

    def open(self, project, task=None):
        where = f"task={task}" if task else "labeling=1"
        self.page.goto(f"{self.url}/projects/{project}/data?{where}", wait_until="domcontentloaded")
        self.settled()
        if not task:  # the stream begins with the instruction, which covers the page
            self.page.get_by_text("Labeling Instructions").wait_for(timeout=20_000)
            self.page.keyboard.press("Escape")
            self.page.get_by_text("Labeling Instructions").wait_for(state="hidden", timeout=20_000)
        self.page.keyboard.press("Shift+1")  # the whole image; some open with edges cut off
        return self.settled()

    def settled(self):
        "The image's box once it has kept it for 0.6 s: it is laid out several times"
        image = self.page.locator('img[alt="image"]').first
        image.wait_for(state="attached", timeout=60_000)
        same, last = 0, None
        for _ in range(200):
            box = image.bounding_box()
            same = same + 1 if box and box == last and box["width"] > 1 else 0
            if same >= 6:
                return box
            last = box
            self.page.wait_for_timeout(100)
        raise AssertionError("the image never came to rest")

    def mark(self, key, box, x, y):
        "Press a point's key, and click at fractions of the image"
        regions = self.page.locator(".lsf-outliner-item")
        before = regions.count()
        self.page.keyboard.press(key)
        self.page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
        regions.nth(before).wait_for(timeout=20_000)

    def press(self, key):
        self.page.keyboard.press(key)
        self.page.wait_for_timeout(200)

    def submit(self):
        def created(answer):
            return "/annotations" in answer.url and answer.request.method == "POST"

        with self.page.expect_response(created, timeout=30_000) as answer:
            self.page.get_by_role("button", name="Submit current annotation").click()
        assert answer.value.status == 201

    def skip(self):
        with self.page.expect_response(
            lambda a: "/annotations" in a.url and a.request.method == "POST", timeout=30_000
        ):
            self.page.get_by_test_id("bottombar-skip-button").click()

    def close(self):
        self.context.close()
