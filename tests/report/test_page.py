"""What the page of a report promises."""

import html
import re
import runpy
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from moved_squares import overlap, square, write_images, write_masks, write_split

from siampolarmask_mm.evaluation.davis_scores import COLUMNS, ObjectScores, average
from siampolarmask_mm.report.page import Look, draw_sections, write_page
from siampolarmask_mm.report.scored_run import score_masks

ROOT = Path(__file__).parents[2]
LOOK = Look(num_pictures=3, num_worst=2, picture_width=60, num_frames=4, player_width=60)


def make_page(run, path, look=LOOK, **kwargs):
    write_page(path, run, list(draw_sections(run, look)), **kwargs)
    return path.read_text('utf-8')


@pytest.fixture
def run(davis, masks):
    return score_masks(masks, davis, references=['still', 'box'])


@pytest.fixture
def page(run, tmp_path):
    return make_page(run, tmp_path / 'report.html')


class Tables(HTMLParser):
    """The rows of a page's tables: the header's text, and ``data-value`` of its cells."""

    def __init__(self, page):
        super().__init__()
        self.rows, self._in_header = [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        value = dict(attributes).get('data-value')
        if tag == 'tr':
            self.rows.append(('', []))
        self._in_header |= tag == 'th'
        self._in_header &= tag != 'small'
        if tag == 'td' and value is not None:
            self.rows[-1][1].append(float(value))

    def handle_endtag(self, tag):
        self._in_header &= tag != 'th'

    def handle_data(self, data):
        if self._in_header:
            name, values = self.rows[-1]
            self.rows[-1] = (name + data.strip(), values)


def test_numbers_are_those_of_the_metric(page, run):
    rows = dict(Tables(page).rows)
    expected = average(run.objects)
    assert rows['tracker'] == pytest.approx([expected[name] for name in COLUMNS])
    assert rows['still'][0] == pytest.approx(expected['still/J&F-Mean'])
    assert rows['box'][0] == pytest.approx(expected['box/J&F-Mean']) == 1
    good = (7 + overlap(1)) / 8
    bad = (6 * overlap(2) + overlap(9) + overlap(8)) / 8
    assert rows['tracker'][1] == pytest.approx((good + bad + overlap(5)) / 3)
    objects, frames, _, region = rows['bad'][:4]
    assert (objects, frames, region) == (1, 8, pytest.approx(bad))
    assert f'<dd>{expected["J-Mean"]:.3f}</dd>' in page


def test_worst_videos_and_in_each_the_worst_frames_come_first(page):
    headings = re.findall(r'<h3>(\w+) ', page)
    assert headings == ['lost', 'bad', 'good']
    assert [name for name, _ in Tables(page).rows if name in headings] == headings
    section = page.split('<h3>bad ')[1].split('</section>')[0]
    strip = section.split('Worst frames')[1].split('Over time')[0]
    captions = re.findall(r'disabled>(\d+)</button> J (\d\.\d+)', strip)
    # 8 is at least 2 frames away from 7, the worst; of the equal others, the first.
    assert captions == [('00007', f'{overlap(9):.3f}'), ('00001', f'{overlap(2):.3f}')]


def test_nothing_is_loaded_from_elsewhere(page):
    text = re.sub(r'data:image/webp;base64,[\w+/=]*', 'data:', page)
    assert '//' not in re.sub(r'^\s*//.*', '', text, flags=re.M)  # but comments in scripts
    assert set(re.findall(r'(?:src|href)="(?!#)([^"]*)"', text)) == {'data:', 'data:,'}
    assert not re.findall(r'url\(|@import|<link(?! rel="icon")|fetch\(|<script src', text)
    assert "default-src 'none'" in text  # and browsers are told so


def test_names_are_escaped(davis, masks, tmp_path):
    name = 'a<!--<script>"&\'b'
    write_masks(davis / 'Annotations/480p', name, [square(20)] * 4)
    write_images(davis / 'JPEGImages/480p', name, 4)
    write_masks(masks, name, [square(25)] * 4)
    write_split(davis, [name])
    run = score_masks(masks, davis, references=[])
    page = make_page(run, tmp_path / 'a.html', title='</title><script>alert(1)</script>')
    assert name not in page
    assert 'alert(1)</script>' not in page
    assert page.count(html.escape(name)) > 5
    assert page.count('<script') == 2  # the player's frames, and the page's own


def test_frames_in_a_script_cannot_end_it(davis, masks, tmp_path):
    for root in (davis / 'Annotations/480p', davis / 'JPEGImages/480p', masks):
        for path in (root / 'good').glob('00003.*'):
            path.rename(path.with_stem('00003<script><!--'))
    write_split(davis, ['good'])
    run = score_masks(masks, davis, references=[])
    page = make_page(run, tmp_path / 'a.html', Look(num_frames=8))
    assert '00003\\u003cscript>\\u003c!--' in page
    assert '<!--' not in page


def test_a_player_has_as_many_frames_as_it_may(run, tmp_path):
    page = make_page(run, tmp_path / 'a.html')
    assert page.count('"picture": ') == 3 * 4
    none = make_page(run, tmp_path / 'b.html', Look(num_frames=0, num_worst=0))
    assert 'class="player"' not in none
    assert 'Worst frames' not in none
    assert none.count('class="seek"') == 3 * Look().num_pictures


def test_filled_boxes_and_notes_are_told(run, tmp_path):
    run.objects[0].has_masks = False
    run.notes.append('2 < 3 videos')
    page = make_page(run, tmp_path / 'a.html')
    assert f'filled, are all of {run.objects[0].name}.' in page
    assert '2 &lt; 3 videos' in page
    for item in run.objects:
        item.has_masks = False
    assert 'The tracker gave boxes' in make_page(run, tmp_path / 'a.html')


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(num_worst=-1), 'num_worst from 0 on expected, got -1'),
        (dict(player_width=3), 'player_width from 16 on expected, got 3'),
        (dict(quality=101), 'quality up to 100 .* got 101'),
        (dict(fps=0), 'fps above 0 expected, got 50 and 0'),
    ],
)
def test_a_look_that_cannot_be_is_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        Look(**kwargs)


def test_a_page_that_cannot_be_written_leaves_the_old_one(run, tmp_path, monkeypatch):
    path = tmp_path / 'out/report.html'
    path.parent.mkdir()
    path.write_text('old')

    def fill_the_disk(self, text, encoding):  # noqa: ARG001
        with self.open('w') as file:
            file.write(text[:100])
        raise OSError('no space left')

    monkeypatch.setattr(Path, 'write_text', fill_the_disk)
    with pytest.raises(OSError, match='no space left'):
        write_page(path, run, [])
    assert path.read_text() == 'old'
    assert list(path.parent.iterdir()) == [path]


# The tool.


def run_tool(monkeypatch, *arguments):
    small = ['--picture-width', '60', '--player-width', '60', '--workers', '1']
    small += ['--references', 'still']
    monkeypatch.setattr(sys, 'argv', ['report', *map(str, arguments), *small])
    runpy.run_path(str(ROOT / 'tools/report.py'), run_name='__main__')


def test_the_tool_reports_on_a_folder_of_masks(davis, masks, tmp_path, monkeypatch, capsys):
    out = tmp_path / 'new/report.html'
    run_tool(monkeypatch, masks, davis, '--out', out, '--protocol', '2017', '--title', 'A')
    assert capsys.readouterr().out.split() == [str(out)]
    page = out.read_text('utf-8')
    assert '<title>A</title>' in page
    assert page.count('<section') == 3


def empty_work_dir(davis, masks):  # noqa: ARG001
    (masks.parent / 'empty').mkdir()
    return [masks.parent / 'empty'], r'the config \(.py\) of a test run expected in .*empty'


def no_folder(davis, masks):
    return [masks / 'nowhere', davis], 'no folder .*nowhere'


def no_masks(davis, masks):
    (masks.parent / 'empty').mkdir()
    return [masks.parent / 'empty', davis], '8 masks of good expected .* 8 are missing'


def broken_mask(davis, masks):
    (masks / 'bad/00005.png').write_bytes(b'no image')
    return [masks, davis], r'a PNG of labels expected, .*bad.00005.png cannot be read'


def broken_frame(davis, masks):
    (davis / 'JPEGImages/480p/bad/00007.jpg').write_bytes(b'no image')
    return [masks, davis], r'an image expected, .*bad.00007.jpg cannot be read'


def no_frames(davis, masks):
    (davis / 'JPEGImages').rename(davis / 'elsewhere')
    return [masks, davis], r'no frame 00001 \(.jpg or .png\) in .*JPEGImages.lost'


@pytest.mark.parametrize(
    'case', [empty_work_dir, no_folder, no_masks, broken_mask, broken_frame, no_frames]
)
def test_what_is_broken_is_named_and_nothing_is_written(case, davis, masks, monkeypatch):
    arguments, message = case(davis, masks)
    out = masks.parent / 'out'
    with pytest.raises(SystemExit, match=rf'^report.py: .*{message}'):
        run_tool(monkeypatch, *arguments, '--out', out / 'report.html')
    assert not out.exists()


def test_an_object_without_a_true_mask_or_with_too_many_scores_is_named(run):
    run.objects.append(ObjectScores('new', 1, [(1.0, 1.0)]))
    with pytest.raises(FileNotFoundError, match=r'no label image \(.png\) in .*new'):
        run.videos()
    run.objects[-1] = ObjectScores('good', 2, [(1.0, 1.0)] * 9)
    with pytest.raises(ValueError, match=r'scores of 1 to 8 frames .* got 9 of good'):
        run.videos()
