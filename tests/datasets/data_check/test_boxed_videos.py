"""What data_check promises of videos with boxes."""

from findings import counts, found, write_boxed, write_image


def test_all_that_is_wrong_with_boxes_is_found_at_once(tmp_path):
    sound = ['3,4,5,6'] * 3
    write_boxed(tmp_path / 'train/GOT-10k_Train_000001', sound)
    write_boxed(tmp_path / 'train/GOT-10k_Train_000002', [*sound[:2], '30,4,5,6'])
    write_boxed(tmp_path / 'train/GOT-10k_Train_000003', ['3,4,5,6', 'nan', '3,4,5'])
    write_boxed(tmp_path / 'train/GOT-10k_Train_000004', ['3,4,0,0', '27,4,5,6', sound[0]])
    (tmp_path / 'train/GOT-10k_Train_000001/absence.label').write_text('0\n0\n')
    write_boxed(tmp_path / 'train/GOT-10k_Train_000005', sound[:2])
    prefix = 'train/GOT-10k_Train_00000'
    assert found(tmp_path) == [
        f'{prefix}1/cover.label: error: missing',
        f'{prefix}1/absence.label: error: 3 numbers expected, got 2',
        f'{prefix}2/groundtruth.txt: error: 1 box outside the frame (20, 30), in line 3',
        f"{prefix}3/groundtruth.txt:2: error: a box (x, y, w, h) expected, got 'nan'",
        f'{prefix}4/groundtruth.txt: warning: 1 box without extent, in line 1',
        f'{prefix}5/groundtruth.txt: error: a box for each of 3 frames expected, got 2',
    ]
    assert counts(tmp_path) == dict(videos=5, objects=5, frames=15, boxes=11)


def test_boxes_of_a_hidden_object_may_be_anything(tmp_path):
    write_boxed(tmp_path / 'cat/cat-1', ['3,4,5,6', '0,0,0,0', '90,4,5,6'], 'img')
    assert len(found(tmp_path)) == 2
    (tmp_path / 'cat/cat-1/full_occlusion.txt').write_text('0,1,0')
    (tmp_path / 'cat/cat-1/out_of_view.txt').write_text('0,0,1')
    assert found(tmp_path) == []


def test_frames_of_trackingnet_lie_beside_the_boxes(tmp_path):
    for t in range(2):
        write_image(tmp_path / f'TRAIN_0/frames/v_0/{t}.jpg')
    (tmp_path / 'TRAIN_0/anno').mkdir()
    (tmp_path / 'TRAIN_0/anno/v_0.txt').write_text('1,2,3,4\n1,2,3,4\n')
    assert found(tmp_path) == []
    assert counts(tmp_path) == dict(videos=1, objects=1, frames=2, boxes=2)
