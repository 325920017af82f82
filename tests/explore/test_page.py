"""The page in a real browser, by mouse and keyboard, without a network."""

import json
import shutil
import threading
import time

import pytest

pytest.importorskip("dash")
selenium = pytest.importorskip("selenium")

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from keras_ab import analysis
from keras_ab import data
from keras_ab.explore import Explorer
from keras_ab.explore import Gallery
from keras_ab.explore import make_app
from keras_ab.explore.page import figure
from tests.models import factory

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="needs chromium and chromedriver on the path",
    ),
]


@pytest.fixture(scope="module")
def explorer():
    models = {"one": factory.abclip(), "two": factory.abclip()}
    return Explorer(models, Gallery(data.Scenes(size=3)))


@pytest.fixture(scope="module")
def address(explorer):
    from werkzeug.serving import make_server

    app = make_app(explorer, "w1")
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}/"
    server.shutdown()


@pytest.fixture(params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def browser(request, address):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        # Whatever is not on this machine is not there.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    width, height = request.param
    size = {"width": width, "height": height, "deviceScaleFactor": 1}
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**size, "mobile": width < 500}
    )
    driver.get(address)
    until(driver, lambda: text(driver, "best-value-0"))
    yield driver
    driver.quit()


def until(driver, what, seconds=60):
    """Waits until something is true, whatever is redrawn meanwhile."""
    from selenium.common.exceptions import WebDriverException

    last, end = None, time.time() + seconds
    while time.time() < end:
        try:
            last = what()
        except WebDriverException as error:
            last = error
        if last and not isinstance(last, Exception):
            return last
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} seconds; last: {last!r}")


def text(driver, name):
    return driver.find_element(By.ID, name).text


def shows(driver, name, wanted):
    until(driver, lambda: text(driver, name) == wanted)


def write(driver, name, words):
    field = driver.find_element(By.ID, name)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(words, Keys.ENTER)


def others(explorer):
    return explorer.annotations.others


def expect(driver, explorer, texts, box=None, start=(0, 0, 1, 1)):
    """The numbers are what Python computes, for both models."""
    image = explorer.gallery["0"]
    for place, model in enumerate(explorer.models.values()):
        found = analysis.value_map(model, image, texts[:1], view=start)
        best = found.best(0)
        seen = analysis.look(model, image, [best], texts, start)
        shows(driver, f"best-value-{place}", figure(found.values.max()))
        shows(driver, f"best-reward-{place}", figure(seen.rewards[0, 0]))
        shows(driver, f"here-{place}", figure(seen.here[0]))
        if box is not None:
            seen = analysis.look(model, image, [box], texts, start)
            shows(driver, f"mine-value-{place}", figure(seen.values[0, 0]))
            shows(driver, f"mine-reward-{place}", figure(seen.rewards[0, 0]))


def drag(driver, begin, end):
    """Drags on the first picture, from one place of it to another."""
    area = driver.find_element(By.CSS_SELECTOR, "#map-0 .nsewdrag")
    driver.execute_script(
        "arguments[0].scrollIntoView({block: 'center'})", area
    )
    width, height = area.size["width"], area.size["height"]
    # Offsets are from the middle.
    x, y = (
        [(p[0] - 0.5) * width for p in (begin, end)],
        [(p[1] - 0.5) * height for p in (begin, end)],
    )
    chain = ActionChains(driver, duration=100)
    chain.move_to_element_with_offset(area, int(x[0]), int(y[0]))
    chain.click_and_hold()
    for share in (0.3, 0.7, 1.0):
        chain.move_to_element_with_offset(
            area,
            int(x[0] + share * (x[1] - x[0])),
            int(y[0] + share * (y[1] - y[0])),
        )
    chain.release().perform()


def corners(driver):
    values = [
        driver.find_element(By.ID, name).get_attribute("value")
        for name in ("ymin", "xmin", "ymax", "xmax")
    ]
    return tuple(map(float, values)) if all(values) else None


def test_load_type_drag_step(browser, explorer, tmp_path):
    among = [t for t in others(explorer) if t != "w1"]
    expect(browser, explorer, ["w1", *among])

    write(browser, "wanted", "w2 w3")
    texts = ["w2 w3", *others(explorer)]
    expect(browser, explorer, texts)

    drag(browser, (0.2, 0.3), (0.7, 0.8))
    box = until(browser, lambda: corners(browser))
    # (y, x) of the corners; to a few pixels.
    assert box == pytest.approx((0.3, 0.2, 0.8, 0.7), abs=0.05)
    expect(browser, explorer, texts, box)

    # By the keyboard alone.
    write(browser, "ymin", "0.1")
    box = (0.1, *box[1:])
    until(browser, lambda: corners(browser) == box)
    expect(browser, explorer, texts, box)

    browser.find_element(By.ID, "begin").send_keys(Keys.ENTER)
    expect(browser, explorer, texts, start=box)
    browser.find_element(By.ID, "step").send_keys(Keys.ENTER)
    shows(browser, "steps-0", "1")
    first = next(iter(explorer.models.values()))
    path = analysis.greedy_path(
        first, explorer.gallery["0"], texts, view=box, steps=2
    )
    shows(browser, "best-value-0", figure(path.values[1, 0]))

    wide = browser.execute_script(
        "return document.documentElement.scrollWidth > window.innerWidth"
    )
    assert not wide
    browser.save_screenshot(str(tmp_path / "page.png"))
    assert (tmp_path / "page.png").stat().st_size > 20_000
    sent = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    asked = [
        message["params"]["request"]["url"]
        for message in sent
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    foreign = [
        address
        for address in asked
        if not address.startswith(("http://127.0.0.1:", "data:", "blob:"))
    ]
    assert not foreign


def test_drop_a_picture(browser, explorer, tmp_path):
    from PIL import Image

    picture = explorer.gallery["2"][:60, ::-1]
    Image.fromarray(picture).save(tmp_path / "mine.png")
    field = browser.find_element(By.CSS_SELECTOR, "#upload input[type=file]")
    field.send_keys(str(tmp_path / "mine.png"))
    until(
        browser,
        lambda: "mine.png" in browser.find_element(By.ID, "picture").text,
    )
    among = [t for t in others(explorer) if t != "w1"]
    first = next(iter(explorer.models.values()))
    found = analysis.value_map(first, picture, ["w1", *among])
    shows(browser, "best-value-0", figure(found.values[..., 0].max()))

    (tmp_path / "none.png").write_text("no picture")
    field = browser.find_element(By.CSS_SELECTOR, "#upload input[type=file]")
    field.send_keys(str(tmp_path / "none.png"))
    until(browser, lambda: "no picture" in text(browser, "message"))


def test_others_by_the_keyboard(browser, explorer):
    first = next(iter(explorer.models.values()))
    view = explorer.gallery["0"]
    field = browser.find_element(By.ID, "others")
    field.send_keys(Keys.CONTROL, "a")
    before = text(browser, "numbers-0")
    field.send_keys("w2", Keys.ENTER, "zebra")
    # Nothing follows from a line that is still written.
    time.sleep(1)
    assert text(browser, "numbers-0") == before
    assert "zebra" not in text(browser, "message")
    field.send_keys(Keys.TAB)
    until(browser, lambda: "zebra" in text(browser, "message"))
    seen = analysis.look(first, view, [(0, 0, 1, 1)], ["w1", "w2", "zebra"])
    shows(browser, "here-0", figure(seen.here[0]))

    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE, Keys.TAB)
    shows(browser, "here-0", "–")
    assert "write others" in text(browser, "message")
    assert text(browser, "best-reward-0") == "–"
    assert text(browser, "best-value-0") != "–"


def begin_in(driver, *box):
    """Types a box and begins there."""
    for name, value in zip(("ymin", "xmin", "ymax", "xmax"), box):
        write(driver, name, str(value))
    written = " ".join(f"{corner:.2f}" for corner in box)
    shows(driver, "mine-box-0", written)
    driver.find_element(By.ID, "begin").send_keys(Keys.ENTER)
    until(driver, lambda: corners(driver) is None)


def test_a_start_too_small_for_a_step(browser):
    begin_in(browser, 0, 0, 0.1, 0.1)
    until(browser, lambda: "do not reach" in text(browser, "message"))
    # The same numbers once more, and others.
    begin_in(browser, 0, 0, 0.1, 0.1)
    begin_in(browser, 0, 0, 0.02, 0.02)
    until(browser, lambda: "No box of this side" in text(browser, "message"))
    shows(browser, "best-value-0", "–")
    assert text(browser, "here-0") != "–"
    browser.find_element(By.ID, "step").send_keys(Keys.ENTER)
    time.sleep(1)
    shows(browser, "steps-0", "0")


def test_nothing_to_look_for(browser):
    field = browser.find_element(By.ID, "wanted")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.DELETE, Keys.ENTER)
    shows(browser, "message", "Type what to look for.")
    # The picture stays, numbers of something else do not.
    assert not text(browser, "numbers-0")
    assert browser.find_elements(By.CSS_SELECTOR, "#map-0 .imagelayer image")
    assert not browser.find_elements(
        By.CSS_SELECTOR, "#map-0 .heatmaplayer image"
    )
    write(browser, "wanted", "w3")
    until(browser, lambda: text(browser, "best-value-0"))
