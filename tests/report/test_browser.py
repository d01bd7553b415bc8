"""What a real browser makes of a report, from disk and without a network."""

import html
import json
import re
import shutil
import subprocess

import pytest
from moved_squares import overlap

from siampolarmask_mm.report.page import Look, draw_sections, write_page
from siampolarmask_mm.report.scored_run import score_masks

NAMES = ('chromium', 'chromium-browser', 'google-chrome')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f'needs one of {NAMES}')


@pytest.fixture
def page(davis, masks, tmp_path):
    path = tmp_path / 'report.html'
    run = score_masks(masks, davis, references=['still'])
    look = Look(picture_width=60, player_width=60, num_frames=4, fps=50)
    write_page(path, run, list(draw_sections(run, look)))
    return path


@pytest.fixture
def browse(page, tmp_path):
    """The page's elements after its script, and then another one, have run."""

    def run(script='', *more):
        probe = tmp_path / 'probe.html'
        text = page.read_text('utf-8')
        probe.write_text(text.replace('</body>', f'<script>{script}</script></body>'))
        flags = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run']
        flags += ['--disable-background-networking', '--disable-component-update']
        flags += ['--disable-sync', f'--user-data-dir={tmp_path / "profile"}']
        flags += ['--enable-logging=stderr', '--virtual-time-budget=3000', '--dump-dom']
        command = [BROWSER, *flags, *more, probe.as_uri()]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=120
        )
        assert 'CONSOLE' not in result.stderr, result.stderr
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run


def answer(dom):
    return json.loads(html.unescape(re.search('<body data-answer="([^"]*)"', dom)[1]))


def test_the_page_comes_alive(browse):
    dom = browse()
    outputs = re.findall(r'<output>([^<]*)</output>', dom)
    assert outputs == [f'00001 · J {overlap(shift):.3f}' for shift in (5, 2, 0)]
    assert dom.count('<div class="controls">') == 3  # not hidden any more
    assert 'class="seek" data-position="0">' not in dom  # it has a title now
    assert dom.count('title="Show in the player"') == dom.count('class="seek"') > 6


@pytest.mark.parametrize(
    'script', ['nowhere.call();', "new Image().src = 'https://example.invalid/a.png';"]
)
def test_an_error_or_a_way_out_would_be_noticed(browse, script):
    with pytest.raises(AssertionError, match='CONSOLE'):
        browse(script)


def test_pictures_are_decoded(browse):
    script = """
      const images = [...document.images];
      images.forEach((image) => { image.loading = 'eager'; });
      Promise.all(images.map((image) => image.decode())).then(() => {
        document.body.dataset.answer = JSON.stringify(images.map((i) => i.naturalWidth));
      });
    """
    for _ in range(5):  # the browser's clock does not wait for decoding
        dom = browse(script)
        if 'data-answer' in dom:
            break
    assert set(answer(dom)) == {60}


def test_the_player_plays_pauses_and_seeks(browse):
    dom = browse("""
      const video = document.querySelectorAll('.video')[1];
      const [button, slider] = video.querySelectorAll('.play, input');
      const screen = video.querySelector('.screen');
      const seen = [];
      const look = () => seen.push([button.textContent, slider.value, screen.src.length,
        video.querySelector('output').textContent.slice(0, 5),
        Math.round(video.querySelector('.cursor').getAttribute('x1'))]);
      button.click();  // who takes the slider wants it to stay
      slider.value = 2;
      slider.dispatchEvent(new Event('input'));
      look();
      video.querySelector('.seek').click();  // the worst frame, 00007
      look();
      button.click();
      setTimeout(() => {
        button.click();
        look();
        const { value } = slider;
        setTimeout(() => {
          look();
          document.body.dataset.answer = JSON.stringify(
            [seen, value === slider.value, [button, slider].map((e) => e.tabIndex)]);
        }, 500);
      }, 60);  // 8 frames at 50 a second in 4 pictures: 40 ms each
    """)
    (sought, worst, played, paused), stays, tab_indices = answer(dom)
    # Pictures are of frames 1, 3, 6 and 8; the axis reaches from 34 to 552.
    assert sought[:2] == ['Play', '2']
    assert sought[3:] == ['00006', round(34 + 518 * 5 / 7)]
    assert worst[3] == '00006'  # as near as 00008, and before it
    assert played[:2] == ['Play', '3']
    assert paused == played
    assert stays
    assert tab_indices == [0, 0]  # both are reached with the keyboard


def test_clicking_the_curve_shows_that_frame(browse):
    dom = browse("""
      const video = document.querySelector('.video');
      const curves = video.querySelector('.curves');
      const box = curves.getBoundingClientRect();
      const clientX = box.left + box.width * (34 + 518) / 560;
      curves.dispatchEvent(new MouseEvent('click', { clientX, clientY: box.top + 9 }));
      document.body.dataset.answer = JSON.stringify(
        video.querySelector('output').textContent.slice(0, 5));
    """)
    assert answer(dom) == '00008'


def test_the_table_of_videos_can_be_sorted(browse):
    dom = browse("""
      const table = document.querySelector('.sortable');
      const names = () => [...table.tBodies[0].rows].map((r) => r.cells[0].textContent);
      const click = (text) => [...table.querySelectorAll('button')].find(
        (button) => button.textContent === text).click();
      const orders = [names()];
      for (const text of ['J&F-Mean', 'video', 'J-Mean', 'J-Mean']) {
        click(text);
        orders.push(names());
      }
      const sorted = [...table.querySelectorAll('[aria-sort]')].map(
        (header) => [header.textContent, header.getAttribute('aria-sort')]);
      document.body.dataset.answer = JSON.stringify([orders, sorted]);
    """)
    orders, headers = answer(dom)
    assert orders[0] == ['lost', 'bad', 'good']
    assert orders[1] == ['good', 'bad', 'lost']  # it is sorted upwards to begin with
    assert orders[2] == ['bad', 'good', 'lost']
    assert orders[3:] == [['lost', 'bad', 'good'], ['good', 'bad', 'lost']]
    assert headers == [['J-Mean', 'descending']]


@pytest.mark.parametrize(
    ('scheme', 'background'), [(0, 'rgb(20, 23, 26)'), (1, 'rgb(246, 247, 249)')]
)
def test_dark_and_light_follow_the_system(browse, scheme, background):
    script = """document.body.dataset.answer = JSON.stringify(
      getComputedStyle(document.body).backgroundColor);"""
    dom = browse(script, f'--blink-settings=preferredColorScheme={scheme}')
    assert answer(dom) == background
