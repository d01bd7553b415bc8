"""What `python -m siampolarmask_mm.check` promises."""

import contextlib
import runpy
import warnings

import pytest

from siampolarmask_mm import check

MMCV = next(item for item in check.REQUIREMENTS if item.name[0] == 'mmcv')


@pytest.mark.parametrize(
    ('found', 'advice'),
    [
        (('mmcv', '2.1.0'), ''),
        (('onedl-mmcv', '2.1.5'), ''),  # a fork under the same module name
        (('mmcv', '2.0.0rc4'), '--no-build-isolation --no-deps mmcv==2.1.0'),
        (('mmcv', '2.2.0'), 'mmdet 3.3.0 refuses mmcv 2.2'),
        (None, 'MMCV_WITH_OPS=1 pip install --no-build-isolation --no-deps mmcv==2.1.0'),
    ],
)
def test_each_version_is_judged_with_what_to_do(found, advice):
    finding = check.judge(MMCV, found)
    assert advice in finding.advice
    assert bool(finding.advice) == bool(advice)


@pytest.mark.parametrize(
    ('installed', 'advice'),
    [
        (['opencv-python'], ''),
        ([], 'pip install opencv-python-headless'),
        (
            ['opencv-python', 'opencv-python-headless'],
            'pip uninstall -y opencv-python opencv-python-headless',
        ),
    ],
)
def test_one_build_of_opencv_is_right(installed, advice):
    finding = check.judge_opencv(installed)
    assert finding.advice.startswith(advice)
    assert bool(finding.advice) == bool(advice)


def test_a_module_that_does_not_import_is_reported_with_its_error():
    finding = check.judge_import('no_such_module', 'install it')
    assert "No module named 'no_such_module': install it" in finding.advice
    assert check.judge_import('json', '').advice == ''


def test_the_report_ends_with_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(check, 'examine', lambda: [check.judge(MMCV, None)])
    assert check.main() == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        'What to do:',
        f'- mmcv: {check.BUILD_MMCV}',
    ]


@pytest.mark.slow
def test_this_environment_fits(capsys):
    with warnings.catch_warnings(), contextlib.suppress(SystemExit):
        warnings.simplefilter('ignore')  # that it is loaded already
        runpy.run_module('siampolarmask_mm.check', run_name='__main__')
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == 'Everything fits.', printed
