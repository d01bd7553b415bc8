"""What DAVISMetric promises."""

import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from siampolarmask_mm.datasets.mask_tracks import encode_mask
from siampolarmask_mm.evaluation import DAVISMetric
from siampolarmask_mm.evaluation.davis_folder import score_folder
from siampolarmask_mm.evaluation.davis_metric import read_scores
from siampolarmask_mm.evaluation.davis_scores import average, make_table
from siampolarmask_mm.evaluation.references import best_star, coco_box, fill_box
from siampolarmask_mm.label_images import write_labels

SIZE = (60, 80)


def square(x):
    mask = np.zeros(SIZE, dtype=bool)
    mask[20:30, x : x + 10] = True
    return mask


def sample(
    frame,
    truths,
    masks=None,
    boxes=None,
    scores=None,
    length=5,
    name='walk',
    annotated=True,
):
    prediction = {}
    if scores is not None:
        prediction['scores'] = torch.tensor(scores)
    if masks is not None:
        prediction['masks'] = torch.from_numpy(np.stack(masks))
    if boxes is not None:
        prediction['bboxes'] = torch.tensor(boxes, dtype=torch.float32)
    instances = [
        dict(mask=encode_mask(truth), instance_id=i, video_name=name, annotated=annotated)
        for i, truth in enumerate(truths, start=1)
    ]
    return dict(
        frame_id=frame,
        video_length=length,
        ori_shape=SIZE,
        img_path=f'/data/JPEGImages/480p/{name}/{frame:05d}.jpg',
        instances=instances,
        pred_track_instances=prediction,
    )


def score(metric, samples):
    for item in samples:
        metric.process({}, [item])
    return metric.compute_metrics(metric.results)


def test_first_and_last_frame_do_not_count():
    wrong = [square(60)]
    samples = [
        sample(t, [square(10)], wrong if t in (0, 4) else [square(10)]) for t in range(5)
    ]
    result = score(DAVISMetric(), samples)
    assert result['J-Mean'] == result['F-Mean'] == result['J&F-Mean'] == 1


def test_figures_are_means_over_objects_not_over_frames():
    """A long video tracked right and a short one tracked wrong count the same."""
    long = [sample(t, [square(10)], [square(10)], length=12) for t in range(12)]
    short = [sample(t, [square(10)], [square(60)], length=3, name='run') for t in range(3)]
    result = score(DAVISMetric(), long + short)
    assert result['J-Mean'] == 0.5
    assert result['J-Recall'] == 0.5
    assert result['F-Mean'] == 0.5


def test_every_object_of_a_frame_is_scored_with_its_own_mask():
    samples = [
        sample(t, [square(10), square(40)], [square(15), square(40)]) for t in range(5)
    ]
    assert score(DAVISMetric(), samples)['J-Mean'] == pytest.approx((50 / 150 + 1) / 2)


def test_an_object_that_is_given_later_counts_from_the_next_frame():
    """Object 2 is given in frame 2 of 6; what is said of it until then does not count."""
    nothing, there = np.zeros(SIZE, bool), square(40)
    samples = []
    for t in range(6):
        truths = [square(10), nothing if t < 2 else there]
        masks = [square(10), square(60) if t <= 2 else there]
        samples.append(sample(t, truths, masks, length=6))
        for instance, given in zip(samples[-1]['instances'], (0, 2), strict=True):
            instance['given'] = t == given
    metric = DAVISMetric()
    assert score(metric, samples)['J-Mean'] == 1
    assert [len(item.tracker) for item in metric.results] == [4, 2]
    # The reference that never moves is the mask that was given.
    assert metric.results[1].references['still'] == [(1, 1), (1, 1)]


def test_an_object_that_is_given_in_the_last_frames_is_left_out():
    samples = [
        sample(t, [square(10), square(40)], [square(10), square(40)]) for t in range(5)
    ]
    for t, item in enumerate(samples):
        item['instances'][0]['given'] = t == 0
        item['instances'][1]['given'] = t == 3
    metric = DAVISMetric()
    score(metric, samples)
    assert [item.object_id for item in metric.results] == [1]


def test_a_tracker_of_boxes_is_scored_with_filled_boxes():
    samples = [sample(t, [square(10)], boxes=[[10, 20, 20, 30]]) for t in range(5)]
    assert score(DAVISMetric(), samples)['J-Mean'] == 1


def test_frames_without_annotation_do_not_count():
    samples = [
        sample(t, [square(10)], [square(10 if t != 2 else 60)], annotated=t != 2)
        for t in range(5)
    ]
    assert score(DAVISMetric(), samples)['J-Mean'] == 1


def test_references_stand_beside_the_tracker():
    """A square that moves 5 pixels a frame: still J is 1/3 after one frame, then 0."""
    samples = [sample(t, [square(10 + 5 * t)], [square(60)]) for t in range(5)]
    result = score(DAVISMetric(references=['still', 'box', 'star'], num_rays=72), samples)
    assert result['J-Mean'] == pytest.approx(0, abs=0.01)
    assert result['box/J&F-Mean'] == 1
    assert result['star/J&F-Mean'] > 0.95
    # F at one pixel of tolerance: by the same functions, frame by frame.
    from siampolarmask_mm.evaluation.region_contour import contour_accuracy

    contours = [contour_accuracy(square(10), square(10 + 5 * t)) for t in (1, 2, 3)]
    assert result['still/J&F-Mean'] == pytest.approx((1 / 3 / 3 + np.mean(contours)) / 2)


def test_masks_are_written_with_the_objects_labels(tmp_path):
    samples = [
        sample(t, [square(10), square(40)], [square(12), square(42)]) for t in range(5)
    ]
    score(DAVISMetric(result_dir=str(tmp_path)), samples)
    assert sorted(p.name for p in (tmp_path / 'walk').iterdir()) == [
        f'{t:05d}.png' for t in range(5)
    ]
    with Image.open(tmp_path / 'walk/00003.png') as image:
        assert image.mode == 'P'
        labels = np.array(image)
        assert image.getpalette()[3:6] == [128, 0, 0]  # label 1 is DAVIS' dark red
    assert np.array_equal(labels == 1, square(12))
    assert np.array_equal(labels == 2, square(42))


def test_a_prediction_per_object_is_needed():
    with pytest.raises(ValueError, match=r'got 1 for 2 in .*walk/00000.jpg'):
        DAVISMetric().process({}, [sample(0, [square(1), square(2)], [square(1)])])


def test_a_video_without_a_frame_to_score_is_named():
    samples = [sample(t, [square(10)], [square(10)], length=2) for t in range(2)]
    with pytest.raises(
        ValueError, match=r'between the first and the last expected, .*walk'
    ):
        score(DAVISMetric(), samples)


def test_unknown_references_are_refused():
    with pytest.raises(
        ValueError, match=r"\['box', 'star', 'still', 'union'\] expected, got \['best'\]"
    ):
        DAVISMetric(references=['best'])


def test_a_filled_box_has_the_pixels_between_its_edges():
    assert np.array_equal(fill_box(np.array([10.0, 20, 20, 30]), SIZE), square(10))
    assert fill_box(np.array([-5.0, -5, 3, 2]), SIZE).sum() == 6
    assert fill_box(np.array([5.0, 5, 5, 5]), SIZE).sum() == 0
    assert coco_box(square(10)).tolist() == [10, 20, 20, 30]
    assert coco_box(np.zeros(SIZE, bool)).tolist() == [0, 0, 0, 0]


def test_no_star_is_left_of_nothing():
    assert not best_star(np.zeros(SIZE, bool), 36).any()


@pytest.mark.parametrize(('scores', 'expected'), [([0.9, 0.2], (1, 0)), (None, (0, 1))])
def test_what_overlaps_is_scored_as_it_is_written(scores, expected, tmp_path):
    """Both objects are predicted at the same place; a label image holds one of them."""
    samples = [
        sample(t, [square(10), square(40)], [square(10), square(10)], scores=scores)
        for t in range(5)
    ]
    metric = DAVISMetric(result_dir=str(tmp_path))
    result = score(metric, samples)
    with Image.open(tmp_path / 'walk/00003.png') as image:
        labels = np.array(image)
    assert [(labels == i).any() for i in (1, 2)] == [bool(i) for i in expected]
    assert result['J-Mean'] == expected[0] / 2  # where the second is, nothing is true


def test_what_a_run_wrote_survives_its_interruption(tmp_path):
    walk = [sample(t, [square(10)], [square(15)]) for t in range(5)]
    run = [sample(t, [square(10)], [square(10)], name='run') for t in range(5)]
    whole = score(DAVISMetric(), walk + run)
    interrupted = DAVISMetric(result_dir=str(tmp_path))
    for item in walk + run[:3]:
        interrupted.process({}, [item])
    assert [item.name for item in read_scores(tmp_path)] == ['walk_1']
    resumed = score(DAVISMetric(result_dir=str(tmp_path), resume=True), run)
    assert resumed == pytest.approx(whole)
    # A new run counts nothing of the old ones.
    again = score(DAVISMetric(result_dir=str(tmp_path)), run)
    assert again['J-Mean'] == 1
    assert [item.name for item in read_scores(tmp_path)] == ['run_1']


def test_tables_and_archive_are_written(tmp_path):
    samples = [sample(t, [square(10)], [square(10)]) for t in range(5)]
    metric = DAVISMetric(
        result_dir=str(tmp_path / 'masks'),
        csv_dir=str(tmp_path / 'csv'),
        zip_file=str(tmp_path / 'out' / 'masks.zip'),
    )
    score(metric, samples)
    text = (tmp_path / 'csv' / 'global_results.csv').read_text().split()
    assert text == [
        'J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay',
        '1.000000,1.000000,1.000000,0.000000,1.000000,1.000000,0.000000',
    ]
    with zipfile.ZipFile(tmp_path / 'out' / 'masks.zip') as archive:
        assert archive.namelist() == [f'walk/{t:05d}.png' for t in range(5)]
    with pytest.raises(ValueError, match='result_dir expected with zip_file'):
        DAVISMetric(zip_file='a.zip')


def test_a_filled_box_is_marked_in_the_table():
    samples = [sample(t, [square(10)], boxes=[[10, 20, 20, 30]]) for t in range(5)]
    metric = DAVISMetric()
    score(metric, samples)
    assert 'mean (filled boxes)' in make_table(metric.results)


def test_a_line_cut_short_is_scored_again(tmp_path):
    walk = [sample(t, [square(10)], [square(15)]) for t in range(5)]
    run = [sample(t, [square(10)], [square(10)], name='run') for t in range(5)]
    metric = DAVISMetric(result_dir=str(tmp_path))
    for item in walk + run:
        metric.process({}, [item])
    path = tmp_path / 'scores_0.jsonl'
    path.write_text(path.read_text()[:-20])
    assert [item.name for item in read_scores(tmp_path)] == ['walk_1']
    resumed = score(DAVISMetric(result_dir=str(tmp_path), resume=True), run)
    assert resumed['J-Mean'] == pytest.approx((1 / 3 + 1) / 2)
    assert [item.name for item in read_scores(tmp_path)] == ['walk_1', 'run_1']
    path.write_text('{}\n')
    with pytest.raises(ValueError, match=r'scores expected in line 1 of .*scores_0'):
        read_scores(tmp_path)


def test_an_archive_holds_nothing_of_earlier_runs(tmp_path):
    for name, length in (('old', 5), ('walk', 7), ('walk', 5)):
        samples = [
            sample(t, [square(10)], [square(10)], name=name, length=length)
            for t in range(length)
        ]
        archive = str(tmp_path / 'masks.zip')
        score(DAVISMetric(result_dir=str(tmp_path / 'masks'), zip_file=archive), samples)
    with zipfile.ZipFile(archive) as file:
        assert file.namelist() == [f'walk/{t:05d}.png' for t in range(5)]


def test_the_last_annotated_frame_does_not_count():
    """Annotated are frames 0, 2 and 4 of 6; 4 is tracked wrong."""
    samples = [
        sample(
            t,
            [square(10)],
            [square(10 if t != 4 else 60)],
            annotated=t % 2 == 0,
            length=6,
        )
        for t in range(6)
    ]
    assert score(DAVISMetric(), samples)['J-Mean'] == 1


def test_what_is_written_scores_the_same_from_its_folder(tmp_path):
    """Two overlapping objects, through the metric and through the folder of PNGs."""
    truths = [square(10), square(24)]
    found = [[square(12 + t), square(20 - t)] for t in range(5)]
    samples = [
        sample(t, truths, found[t], scores=[0.4, 0.8], name='walk') for t in range(5)
    ]
    here = score(DAVISMetric(result_dir=str(tmp_path / 'masks'), references=[]), samples)
    labels = tmp_path / 'DAVIS/Annotations/480p/walk'
    labels.mkdir(parents=True)
    for t in range(5):
        write_labels(labels / f'{t:05d}.png', truths[0] + 2 * truths[1].astype(np.uint8))
    (tmp_path / 'DAVIS/ImageSets/2017').mkdir(parents=True)
    (tmp_path / 'DAVIS/ImageSets/2017/val.txt').write_text('walk')
    (there,) = score_folder(tmp_path / 'masks', tmp_path / 'DAVIS', protocol='2017')
    assert average(there) == pytest.approx(here)
