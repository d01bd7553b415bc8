"""What siampolarmask_mm.datasets.read_cache promises."""

import os

import pytest

from siampolarmask_mm.datasets.read_cache import read_or_recall


class Reader:
    """Counts how often a file was read."""

    def __init__(self, path):
        self.path = path
        self.count = 0

    def __call__(self):
        self.count += 1
        return dict(text=self.path.read_text())


@pytest.fixture
def reader(tmp_path, monkeypatch):
    monkeypatch.setenv('SIAMPOLARMASK_CACHE', str(tmp_path / 'cache'))
    path = tmp_path / 'file'
    write(path, 'one', 1000)
    return Reader(path)


def write(path, text, seconds):
    path.write_text(text)
    os.utime(path, (seconds, seconds))


def recall(reader):
    return read_or_recall(reader.path.parent, [str(reader.path)], reader)['text']


def test_an_unchanged_file_is_read_once(reader):
    assert [recall(reader), recall(reader)] == ['one', 'one']
    assert reader.count == 1


def test_a_file_of_another_time_or_size_is_read_again(reader):
    recall(reader)
    write(reader.path, 'two', 2000)
    assert recall(reader) == 'two'
    write(reader.path, 'three', 2000)
    assert recall(reader) == 'three'
    assert reader.count == 3


def test_other_files_are_read_again(reader):
    recall(reader)
    other = reader.path.with_name('other')
    write(other, 'x', 1000)
    read_or_recall(reader.path.parent, [str(reader.path), str(other)], reader)
    assert reader.count == 2


def test_a_file_that_was_just_written_is_not_kept(reader):
    reader.path.write_text('new')
    assert [recall(reader), recall(reader)] == ['new', 'new']
    assert reader.count == 2


def test_a_reading_that_was_cut_short_is_read_again(reader, tmp_path):
    recall(reader)
    (kept,) = (tmp_path / 'cache').iterdir()
    kept.write_bytes(kept.read_bytes()[:-5])
    assert recall(reader) == 'one'
    assert reader.count == 2


def test_it_can_be_turned_off(reader, tmp_path, monkeypatch):
    monkeypatch.setenv('SIAMPOLARMASK_CACHE', '0')
    monkeypatch.setenv('HOME', str(tmp_path))
    assert [recall(reader), recall(reader)] == ['one', 'one']
    assert reader.count == 2
    assert list(tmp_path.iterdir()) == [reader.path]


def test_it_follows_the_users_cache_folder(reader, tmp_path, monkeypatch):
    monkeypatch.delenv('SIAMPOLARMASK_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'xdg'))
    recall(reader)
    assert len(list((tmp_path / 'xdg/siampolarmask_mm').iterdir())) == 1


def test_a_folder_that_cannot_be_written_costs_a_warning(reader, tmp_path, monkeypatch):
    (tmp_path / 'occupied').write_text('')
    monkeypatch.setenv('SIAMPOLARMASK_CACHE', str(tmp_path / 'occupied'))
    with pytest.warns(UserWarning, match='readings cannot be kept'):
        assert recall(reader) == 'one'
