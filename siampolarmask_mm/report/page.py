"""The page: one HTML file with all that it shows inside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from siampolarmask_mm.evaluation.davis_scores import COLUMNS
from siampolarmask_mm.report.curves import color, draw_curves, draw_sparkline
from siampolarmask_mm.report.pictures import VideoPictures, data_uri
from siampolarmask_mm.report.ranking import (
    TRACKER,
    VideoScores,
    common_references,
    evenly_spaced,
    mean_figures,
    worst_first,
    worst_frames,
)
from siampolarmask_mm.report.scored_run import ScoredRun

MEANINGS = dict(
    tracker='what was tested',
    still='the first mask, never moved',
    box='the true box, filled',
    star='one star with true rays',
    union='the union of visible stars, with true rays',
)
OPE_NAMES = dict(success='success', norm_precision='norm. precision', precision='precision')


@dataclass(frozen=True)
class Look:
    """How much a page shows.

    Attributes:
        num_pictures: evenly spaced in time, for each video.
        num_worst: frames of lowest J, for each video.
        picture_width: of both, in pixels.
        num_frames: in a player at most, evenly spaced; 0 for no player.
        player_width: in pixels.
        quality: of WebP, 1 to 100.
        fps: frames per second that the videos have.
    """

    num_pictures: int = 4
    num_worst: int = 4
    picture_width: int = 280
    num_frames: int = 50
    player_width: int = 480
    quality: int = 50
    fps: float = 24

    def __post_init__(self) -> None:
        least = dict(picture_width=16, player_width=16, quality=1)
        for name in ('num_pictures', 'num_worst', 'num_frames', *least):
            if getattr(self, name) < least.get(name, 0):
                raise ValueError(
                    f'{name} from {least.get(name, 0)} on expected, '
                    f'got {getattr(self, name)}'
                )
        if self.quality > 100 or not self.fps > 0:
            raise ValueError(
                'quality up to 100 and fps above 0 expected, '
                f'got {self.quality} and {self.fps}'
            )


def write_page(
    path: Path, run: ScoredRun, sections: Sequence[str], title: str | None = None
) -> None:
    """Write the report; nothing is left of one that could not be written whole.

    Args:
        path: its file.
        run: what it is about.
        sections: of `draw_sections`.
        title: the run's, if not given.
    """
    parts = files('siampolarmask_mm.report')
    names = common_references(run.objects)
    page = Template(parts.joinpath('page.html').read_text('utf-8')).substitute(
        title=escape(title or run.title),
        style=parts.joinpath('page.css').read_text('utf-8'),
        script=parts.joinpath('page.js').read_text('utf-8'),
        tiles=_tiles(run),
        facts=_facts(run.facts),
        notes=''.join(f'<p class="note">{escape(note)}</p>' for note in _notes(run)),
        summary=_summary(run, names),
        videos=_videos_table(worst_first(run.videos()), names),
        sections=''.join(sections),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f'.{path.name}.part')
    try:
        part.write_text(page, 'utf-8')
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def draw_sections(run: ScoredRun, look: Look) -> Iterator[str]:
    """A section of HTML for each video, the one of lowest J&F first.

    Raises:
        FileNotFoundError: if a frame, a true mask or a mask is missing.
        ValueError: if one of them cannot be read.
    """
    for number, video in enumerate(worst_first(run.videos())):
        yield _draw_section(run, video, number, look)


def _draw_section(run: ScoredRun, video: VideoScores, number: int, look: Look) -> str:
    pictures = VideoPictures(run, video)
    worst = worst_frames(video.region(), look.num_worst)
    spaced = evenly_spaced(len(video.frames), look.num_pictures)
    figures = video.figures()
    return (
        f'<section class="video" id="video-{number}"><h3>{escape(video.name)} '
        f'<small>J&amp;F {figures["J&F-Mean"]:.3f} · J {figures["J-Mean"]:.3f} · '
        f'F {figures["F-Mean"]:.3f} · {len(video.frames)} frames</small>'
        '<a class="up" href="#videos">all videos</a></h3><div class="pair">'
        f'{_player(pictures, look)}<figure class="chart">{draw_curves(video, worst)}'
        f'{_legend(video)}</figure></div>'
        f'{_strip("Worst frames", pictures, worst, look)}'
        f'{_strip("Over time", pictures, spaced, look)}</section>'
    )


def _player(pictures: VideoPictures, look: Look) -> str:
    video = pictures.video
    positions = evenly_spaced(len(video.frames), look.num_frames)
    if not positions:
        return ''
    region = video.region()
    frames = [
        dict(
            position=position,
            name=video.frames[position],
            region=f'{region[position]:.3f}',
            picture=data_uri(pictures.draw_both(position, look.player_width), look.quality),
        )
        for position in positions
    ]
    data = json.dumps(
        dict(
            delay=round(1000 / look.fps * len(video.frames) / len(positions), 1),
            length=len(video.frames),
            frames=frames,
        )
    ).replace('<', '\\u003c')  # nothing in it may end the element
    return (
        f'<figure class="player" role="group" aria-label="Player of {escape(video.name)}">'
        f'<img class="screen" src="{frames[0]["picture"]}" '
        f'alt="{escape(video.name)}: found masks tinted, true outlines yellow">'
        '<div class="controls" hidden><button type="button" class="play">Play</button>'
        f'<input type="range" min="0" max="{len(frames) - 1}" value="0" step="1" '
        f'aria-label="Frame of {escape(video.name)}"><output></output></div>'
        '<figcaption>Found masks are tinted and outlined in white, '
        '<span class="true-outline">true outlines</span> are yellow.</figcaption>'
        f'<script type="application/json">{data}</script></figure>'
    )


def _strip(
    heading: str, pictures: VideoPictures, positions: Sequence[int], look: Look
) -> str:
    if not positions:
        return ''
    video = pictures.video
    region, contour = video.region(), video.contour()
    parts = []
    for i in positions:
        name = escape(f'{video.name}, frame {video.frames[i]}')
        images = [
            f'<img loading="lazy" src="{data_uri(draw(i, look.picture_width), 70)}" '
            f'alt="{name}: {kind}">'
            for kind, draw in (
                ('truth', pictures.draw_truth),
                ('found', pictures.draw_found),
            )
        ]
        parts.append(
            f'<figure>{"".join(images)}<figcaption>'
            f'<button type="button" class="seek" data-position="{i}" disabled>'
            f'{escape(video.frames[i])}</button> J {region[i]:.3f} · F {contour[i]:.3f}'
            '</figcaption></figure>'
        )
    return (
        f'<h4>{heading} <small>truth above, found below</small></h4>'
        f'<div class="strip">{"".join(parts)}</div>'
    )


def _legend(video: VideoScores) -> str:
    objects = ''.join(
        f'<li class="object" style="--object: {color(item.object_id)}">'
        f'object {item.object_id}</li>'
        for item in video.objects
    )
    references = ''.join(
        f'<li class="reference {escape(name)}">{escape(name)}</li>'
        for name in common_references(video.objects)
    )
    return f'<figcaption><ul class="legend">{objects}{references}</ul></figcaption>'


def _tiles(run: ScoredRun) -> str:
    figures = mean_figures(run.objects)
    videos = len({item.sequence for item in run.objects})
    tiles = [
        ('J&F', f'{figures["J&F-Mean"]:.3f}'),
        ('J', f'{figures["J-Mean"]:.3f}'),
        ('F', f'{figures["F-Mean"]:.3f}'),
        ('videos', str(videos)),
        ('objects', str(len(run.objects))),
    ]
    tiles += [(f'OPE {OPE_NAMES[name]}', f'{value:.1f}') for name, value in run.ope.items()]
    return ''.join(
        f'<div><dt>{escape(name)}</dt><dd>{value}</dd></div>' for name, value in tiles
    )


def _facts(facts: Mapping[str, str]) -> str:
    return ''.join(
        f'<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>'
        for name, value in facts.items()
    )


def _notes(run: ScoredRun) -> list[str]:
    boxes = [item.name for item in run.objects if not item.has_masks]
    if len(boxes) == len(run.objects):
        return [*run.notes, 'The tracker gave boxes, which were filled.']
    if boxes:
        return [*run.notes, f'Boxes, which were filled, are all of {", ".join(boxes)}.']
    return run.notes


def _summary(run: ScoredRun, references: Sequence[str]) -> str:
    rows = []
    for name in (TRACKER, *references):
        figures = mean_figures(run.objects, name)
        meaning = MEANINGS.get(name, '')
        cells = _cells(list(figures.values()))
        rows.append(
            f'<tr class="{escape(name)}"><th scope="row">{escape(name)} '
            f'<small>{escape(meaning)}</small></th>{cells}</tr>'
        )
    return _table(['', *COLUMNS], rows)


def _videos_table(videos: Sequence[VideoScores], references: Sequence[str]) -> str:
    rows = []
    for number, video in enumerate(videos):
        figures = video.figures()
        others = [video.figures(name)['J&F-Mean'] for name in references]
        values = [*(figures[column] for column in COLUMNS), *others]
        rows.append(
            f'<tr><th scope="row" data-value="{escape(video.name)}">'
            f'<a href="#video-{number}">{escape(video.name)}</a></th>'
            f'<td>{draw_sparkline(video.region())}</td>'
            f'{_cell(len(video.objects), "d")}{_cell(len(video.frames), "d")}'
            f'{_cells(values)}</tr>'
        )
    names = ['video', 'J over time', 'objects', 'frames', *COLUMNS]
    return _table([*names, *(f'{name} J&F' for name in references)], rows)


def _table(headers: Sequence[str], rows: Sequence[str]) -> str:
    head = ''.join(f'<th scope="col">{escape(name)}</th>' for name in headers)
    return f'<thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody>'


def _cells(values: Sequence[float]) -> str:
    return ''.join(_cell(value, '.3f') for value in values)


def _cell(value: float, form: str) -> str:
    shown = round(value, 3) + 0  # not -0.000
    return f'<td data-value="{value!r}">{shown:{form}}</td>'
