"""What LostAndFound promises."""

import pytest

from siampolarmask_mm.models import LostAndFound


@pytest.mark.parametrize(
    ('confidence', 'was_lost', 'is_lost'),
    [
        (0.29, False, True),
        (0.30, False, False),
        (0.49, False, False),
        (0.49, True, True),  # too doubtful to end a search
        (0.50, True, False),
        (0.29, True, True),
    ],
)
def test_losing_and_finding_have_a_threshold_each(confidence, was_lost, is_lost):
    policy = LostAndFound(lost_below=0.3, found_above=0.5)
    assert policy.is_lost(confidence, was_lost) is is_lost


@pytest.mark.parametrize(
    ('confidence', 'frames_lost', 'times'),
    [
        (1.0, 0, 1.0),
        (0.5, 0, 1.2**0.5),  # followed, but in doubt
        (0.0, 1, 1.2**2),
        (0.4, 1, 1.2**1.6),
        (0.0, 2, 1.2**3),
        (0.0, 9, 2.0),  # the limit; 1.2**10 would be 6
    ],
)
def test_the_window_widens_by_a_factor_with_doubt_and_with_each_frame(
    confidence, frames_lost, times
):
    policy = LostAndFound(widen=1.2, widest=2.0)
    assert policy.window(confidence, frames_lost) == pytest.approx(times)


@pytest.mark.parametrize('thresholds', [(0.6, 0.5), (-0.1, 0.5), (0.3, 1.1)])
def test_thresholds_in_another_order_are_refused(thresholds):
    with pytest.raises(ValueError, match='0 <= lost_below <= found_above <= 1 expected'):
        LostAndFound(*thresholds)


@pytest.mark.parametrize('factors', [dict(widen=0.9), dict(widen=3.0, widest=2.0)])
def test_windows_that_shrink_are_refused(factors):
    with pytest.raises(ValueError, match='1 <= widen <= widest expected, got'):
        LostAndFound(**factors)
