"""What TemplateMemory promises."""

import pytest

from siampolarmask_mm.models import TemplateMemory


@pytest.mark.parametrize(
    ('confidence', 'frames_since', 'wanted'),
    [(0.8, 5, True), (0.79, 5, False), (1.0, 4, False), (1.0, 50, True)],
)
def test_a_frame_is_wanted_if_it_is_sure_and_not_too_soon(confidence, frames_since, wanted):
    assert TemplateMemory(above=0.8, every=5).wants(confidence, frames_since) is wanted


def test_the_first_is_kept_and_the_oldest_other_one_goes():
    memory, kept = TemplateMemory(most=3), ['first']
    history = []
    for new in 'abcd':
        kept = memory.add(kept, new)
        history.append(kept)
    assert history == [
        ['first', 'a'],
        ['first', 'a', 'b'],
        ['first', 'b', 'c'],
        ['first', 'c', 'd'],
    ]


def test_two_templates_are_the_first_and_the_last():
    assert TemplateMemory(most=2).add(['first', 'a'], 'b') == ['first', 'b']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(every=0), 'every of at least 1 frame expected, got 0'),
        (dict(most=1), 'most of at least 2 templates expected, got 1'),
    ],
)
def test_a_memory_of_nothing_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TemplateMemory(**arguments)
