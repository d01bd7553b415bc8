"""What DAVISDataset promises."""

import os
import shutil

import numpy as np
import pytest
from mmengine.registry import DATASETS
from PIL import Image
from pycocotools import mask as coco_mask

from siampolarmask_mm.davis_layout import read_split
from siampolarmask_mm.label_images import write_labels


def build(root, split='val', year=2017, **kwargs):
    config = dict(
        type='DAVISDataset',
        data_root=str(root),
        ann_file=f'ImageSets/{year}/{split}.txt',
        pipeline=[],
        **kwargs,
    )
    return DATASETS.build(config)


@pytest.fixture
def root(tmp_path):
    """3 frames of 20 x 30: object 1 moves, object 2 is gone after frame 0."""
    frames, labels = (
        tmp_path / kind / '480p/walk' for kind in ('JPEGImages', 'Annotations')
    )
    frames.mkdir(parents=True)
    labels.mkdir(parents=True)
    for t in range(3):
        Image.fromarray(np.full((20, 30, 3), 9 * t, np.uint8)).save(frames / f'{t:05d}.jpg')
        image = np.zeros((20, 30), np.uint8)
        image[4:8, 3 + t : 9 + t] = 1
        if t == 0:
            image[12:14, 20:25] = 2
        write_labels(labels / f'{t:05d}.png', image)
    for year, line in ((2016, '/JPEGImages/480p/walk/00000.jpg /x.png'), (2017, 'walk')):
        (tmp_path / f'ImageSets/{year}').mkdir(parents=True)
        for split in ('train', 'val'):
            (tmp_path / f'ImageSets/{year}/{split}.txt').write_text(line + '\n')
    return tmp_path


def test_2016_takes_all_labels_as_one_object(root):
    dataset = build(root, year=2016, test_mode=True)
    assert len(dataset) == 3
    instance = dataset[(0, 0)]['instances'][0]
    assert instance['bbox'].tolist() == [3, 4, 25, 14]
    assert coco_mask.decode(instance['mask']).sum() == 4 * 6 + 2 * 5


def test_2017_gives_each_object_as_an_item(root):
    dataset = build(root, objects='each', test_mode=True)
    assert len(dataset) == 6
    boxes = [dataset[(i, 0)]['instances'][0]['bbox'].tolist() for i in range(2)]
    assert boxes == [[3, 4, 9, 8], [20, 12, 25, 14]]
    names = [dataset[(i, 0)]['instances'][0]['video_name'] for i in range(2)]
    assert names == ['walk_1', 'walk_2']


def test_2017_gives_all_objects_of_a_frame_at_once(root):
    dataset = build(root, objects='all', test_mode=True)
    assert len(dataset) == 3
    instances = dataset[(0, 2)]['instances']
    assert [i['instance_id'] for i in instances] == [1, 2]
    assert [i['visible'] for i in instances] == [True, False]
    assert instances[0]['bbox'].tolist() == [5, 4, 11, 8]


@pytest.mark.parametrize('prompt', ['mask', 'box'])
def test_instances_say_what_a_tracker_is_told_of_them(root, prompt):
    dataset = build(root, objects='all', test_mode=True, prompt=prompt)
    assert [i['prompt'] for i in dataset[(0, 0)]['instances']] == [prompt] * 2
    assert coco_mask.area(dataset[(0, 0)]['instances'][0]['mask']) > 0  # to score with
    with pytest.raises(ValueError, match=r"one of .*, got 'point'"):
        build(root, test_mode=True, prompt='point')


def test_objects_are_given_in_the_first_frame_where_they_are_seen(root):
    labels = root / 'Annotations/480p/walk'
    image = np.zeros((20, 30), np.uint8)
    image[4:8, 4:10] = 1
    image[10:13, 2:5] = 3  # comes later
    write_labels(labels / '00001.png', image)

    dataset = build(root, objects='all', test_mode=True)
    given = [[i['given'] for i in dataset[(0, t)]['instances']] for t in range(3)]
    assert given == [[True, True], [False, False], [False, False]]

    dataset = build(root, objects='all', test_mode=True, later_objects=True)
    instances = [dataset[(0, t)]['instances'] for t in range(3)]
    assert [[i['instance_id'] for i in frame] for frame in instances] == [[1, 2, 3]] * 3
    given = [[i['given'] for i in frame] for frame in instances]
    assert given == [[True, True, False], [False, False, True], [False] * 3]
    assert instances[1][2]['bbox'].tolist() == [2, 10, 5, 13]


def test_mmtracks_sampler_finds_frames_in_order(root):
    sample = build(root, test_mode=True)[(0, 1)]
    assert sample['frame_id'] == 1
    assert sample['video_length'] == 3
    assert sample['img_path'].endswith('walk/00001.jpg')


def test_frames_without_labels_are_marked_and_not_taken_as_empty(root):
    (root / 'Annotations/480p/walk/00001.png').unlink()
    dataset = build(root, test_mode=True)
    annotated = [dataset[(0, t)]['instances'][0]['annotated'] for t in range(3)]
    assert annotated == [True, False, True]


def test_training_gets_two_videos_of_one_object_each(clips):
    dataset = build(clips, 'train', objects='each')
    assert len(dataset) == 6  # 3 clips of 2 objects
    video, other = dataset[1]
    assert video['video_id'] == 1
    assert other['video_id'] != 1
    assert video['bboxes'].shape == (5, 4)
    assert len(video['masks']) == len(video['img_paths']) == 5


def test_mmtracks_own_pair_sampling_runs_on_it(clips):
    dataset = build(clips, 'train', objects='each')
    dataset.pipeline.transforms.append(lambda videos: videos)
    from mmtrack.datasets.transforms import PairSampling

    pair = PairSampling(pos_prob=1.0)(dataset[0])
    assert pair['video_id'] == [0, 0]


def test_the_lists_of_both_years_name_the_same_sequences(clips):
    of_year = [
        read_split(str(clips / f'ImageSets/{year}/train.txt')) for year in (2016, 2017)
    ]
    assert of_year[0] == of_year[1] == ['train000', 'train001', 'train002']


# Bad input: what is expected and which file is to blame, before anything runs.


def test_a_missing_folder_is_named(tmp_path, root):
    with pytest.raises(FileNotFoundError, match=r'no folder .*nowhere/JPEGImages/480p'):
        build(tmp_path / 'nowhere')
    with pytest.raises(FileNotFoundError, match=r'no list of sequences at .*test.txt'):
        build(root, 'test')


def test_an_empty_list_is_named(root):
    (root / 'ImageSets/2017/val.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'list of sequences expected, .*val.txt is empty'):
        build(root)


def test_a_sequence_without_frames_or_labels_is_named(root):
    shutil.rmtree(root / 'Annotations/480p/walk')
    with pytest.raises(FileNotFoundError, match=r'no label image .* in .*480p/walk'):
        build(root)
    shutil.rmtree(root / 'JPEGImages/480p/walk')
    with pytest.raises(FileNotFoundError, match=r'no frame .* in .*480p/walk'):
        build(root)


def test_a_label_image_without_frame_is_named(root):
    (root / 'JPEGImages/480p/walk/00002.jpg').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'walk/00002.png has no frame of that name'
    ):
        build(root)


def test_a_first_frame_without_object_is_named(root):
    write_labels(root / 'Annotations/480p/walk/00000.png', np.zeros((20, 30), np.uint8))
    with pytest.raises(ValueError, match=r'object in the first frame expected.*480p/walk'):
        build(root, test_mode=True)
    assert len(build(root, 'train')) == 1  # for training other frames do


def test_a_video_without_any_object_is_named(root):
    for path in (root / 'Annotations/480p/walk').iterdir():
        write_labels(path, np.zeros((20, 30), np.uint8))
    with pytest.raises(ValueError, match=r'at least one object expected.*480p/walk'):
        build(root, 'train')


def test_labels_of_another_size_are_named(root):
    write_labels(root / 'Annotations/480p/walk/00001.png', np.ones((20, 31), np.uint8))
    with pytest.raises(
        ValueError, match=r'\(20, 30\) expected, got \(20, 31\) in .*00001.png'
    ):
        build(root)


def test_a_frame_of_another_size_is_named(root):
    path = root / 'JPEGImages/480p/walk/00001.jpg'
    Image.fromarray(np.zeros((21, 30, 3), np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'one size .* got \(21, 30\) in .*00001.jpg'):
        build(root)


def test_a_jpeg_that_breaks_off_is_named(root):
    path = root / 'JPEGImages/480p/walk/00001.jpg'
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        ValueError, match=r'whole JPEG expected, but .*00001.jpg breaks off'
    ):
        build(root)


def test_a_file_that_is_no_image_is_named(root):
    (root / 'JPEGImages/480p/walk/00001.jpg').write_text('not an image')
    with pytest.raises(
        ValueError, match=r'image expected, got something else in .*00001.jpg'
    ):
        build(root)


def test_a_label_image_that_cannot_be_read_is_named(root):
    path = root / 'Annotations/480p/walk/00001.png'
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(
        ValueError, match=r'PNG of labels expected, .*00001.png cannot be read'
    ):
        build(root)


def test_a_color_image_instead_of_labels_is_named(root):
    path = root / 'Annotations/480p/walk/00001.png'
    Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
    with pytest.raises(ValueError, match=r'indexed or grey .* got mode RGB in .*00001.png'):
        build(root)


@pytest.mark.parametrize(
    ('objects', 'message'), [('some', 'must be one of'), ('all', 'train')]
)
def test_objects_are_merged_each_or_for_testing_all(root, objects, message):
    with pytest.raises(ValueError, match=message):
        build(root, objects=objects)


def test_what_is_done_is_left_out(root):
    def names(**kwargs):
        dataset = build(root, test_mode=True, **kwargs)
        return [dataset.get_data_info(i)['name'] for i in range(dataset.num_videos)]

    assert names(objects='each') == ['walk_1', 'walk_2']
    assert names(objects='each', leave_out=['walk_1']) == ['walk_2']
    assert names(objects='all', leave_out=['walk_1']) == ['walk']  # 2 is still to be done
    with pytest.raises(ValueError, match='left out as done'):
        names(objects='each', leave_out=['walk_1', 'walk_2'])


def test_objects_follow_year_and_mode(root):
    kinds = {
        (year, mode): build(root, year=year, test_mode=mode, objects=None).objects
        for year in (2016, 2017)
        for mode in (False, True)
    }
    assert kinds == {
        (2016, False): 'merged',
        (2016, True): 'merged',
        (2017, False): 'each',
        (2017, True): 'all',
    }


def test_without_a_list_every_folder_of_labels_is_taken(root):
    for kind in ('JPEGImages', 'Annotations'):
        shutil.copytree(root / kind / '480p/walk', root / kind / '480p/run')
    config = dict(type='DAVISDataset', data_root=str(root), pipeline=[])
    for ann_file in ('', None):
        dataset = DATASETS.build(dict(config, ann_file=ann_file))
        records = [dataset.get_data_info(i) for i in range(len(dataset))]
        assert [record['name'] for record in records] == [
            'run_1', 'run_2', 'walk_1', 'walk_2'
        ]  # fmt: skip
        assert [record['category'] for record in records] == [None] * 4
    for folder in (root / 'Annotations/480p').iterdir():
        shutil.rmtree(folder)
    with pytest.raises(FileNotFoundError, match=r'a folder of labels .* in .*480p'):
        DATASETS.build(config)


def test_small_objects_are_left_out_of_training(root):
    dataset = build(root, 'train', min_area=11)  # 1 has 24 pixels, 2 has 10
    assert [dataset.get_data_info(i)['name'] for i in range(len(dataset))] == ['walk_1']
    assert len(build(root, year=2016, min_area=34)) == 1  # merged, they have 34
    with pytest.raises(ValueError, match=r'at least 35 square pixels .* got none'):
        build(root, year=2016, min_area=35)


def test_a_second_start_recalls_what_it_read(root, tmp_path, monkeypatch):
    monkeypatch.setenv('SIAMPOLARMASK_CACHE', str(tmp_path / 'cache'))
    for path in root.glob('*/480p/walk/*'):
        os.utime(path, (1000, 1000))
    first = [build(root, objects='each').get_data_info(i) for i in range(2)]
    labels = root / 'Annotations/480p/walk/00001.png'
    labels.write_bytes(bytes(labels.stat().st_size))
    os.utime(labels, (1000, 1000))  # not to be noticed, nor read
    second = [build(root, objects='each').get_data_info(i) for i in range(2)]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.pop('bboxes'), other.pop('bboxes'))
        assert one == other
    os.utime(labels, (2000, 2000))
    with pytest.raises(ValueError, match=r'00001.png cannot be read'):
        build(root, objects='each')
