"""Tiny folders of datasets, laid out as they are downloaded."""

import json
import runpy
from pathlib import Path

import mmtrack
import numpy as np
from PIL import Image

from siampolarmask_mm.datasets.mask_tracks import encode_mask
from siampolarmask_mm.label_images import write_labels

SIZE = (60, 80)  # height, width
TRIANGLE = [[4, 4, 64, 4, 4, 52]]
CONVERTERS = Path(mmtrack.__file__).parent / '.mim/tools/dataset_converters'


def write_image(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((*size, 3), np.uint8)).save(path)


def write_mask(path, level, write):
    mask = np.zeros(SIZE, np.uint8)
    mask[4:40, 5:45] = level
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, mask)


def save(path, array):
    Image.fromarray(array).save(path)


def write_json(path, **content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_coco(root):
    write_image(root / 'train2017/000000000009.jpg')
    annotation = dict(id=1, image_id=9, category_id=18, area=1440, iscrowd=0)
    write_json(
        root / 'annotations/instances_train2017.json',
        images=[dict(id=9, file_name='000000000009.jpg', height=60, width=80)],
        annotations=[dict(annotation, bbox=[4, 4, 60, 48], segmentation=TRIANGLE)],
        categories=[dict(id=18, name='dog')],
    )


def write_labeled(root, images, annotations, step):
    for t in range(0, 3 * step, step):
        write_image(root / images / f'{t:05d}.jpg')
        write_mask(root / annotations / f'{t:05d}.png', 1, write_labels)


def write_davis(root):
    write_labeled(root, 'JPEGImages/480p/bear', 'Annotations/480p/bear', 1)
    for year, line in ((2016, '/JPEGImages/480p/bear/00000.jpg /x.png'), (2017, 'bear')):
        (root / f'ImageSets/{year}').mkdir(parents=True)
        (root / f'ImageSets/{year}/train.txt').write_text(f'{line}\n')


def write_segtrack(root):
    write_labeled(root, 'JPEGImages/girl', 'Annotations/girl', 1)


def write_youtube_vos(root):
    video = '003234408d'
    write_labeled(root / 'train', f'JPEGImages/{video}', f'Annotations/{video}', 5)
    for t in range(11):
        write_image(root / f'train_all_frames/JPEGImages/{video}/{t:05d}.jpg')
    objects = {'1': dict(category='penguin', frames=['00000', '00005', '00010'])}
    write_json(root / 'train/meta.json', videos={video: dict(objects=objects)})


def write_tracks(json_file, image_folder, names):
    for name in names:
        write_image(image_folder / name)
    mask = np.zeros(SIZE, np.uint8)
    mask[4:40, 5:45] = 1
    write_json(
        json_file,
        videos=[dict(id=1, file_names=names, height=60, width=80, length=len(names))],
        annotations=[
            dict(
                id=1,
                video_id=1,
                category_id=26,
                iscrowd=0,
                segmentations=[encode_mask(mask)] * len(names),
                bboxes=[[5, 4, 40, 36]] * len(names),
                areas=[1440] * len(names),
            )
        ],
        categories=[dict(id=26, name='person')],
    )


def write_youtube_vis(root):
    names = ['0043f083b5/00000.jpg', '0043f083b5/00005.jpg']
    write_tracks(root / 'train/instances.json', root / 'train/JPEGImages', names)
    write_tracks(root / 'train.json', root / 'train/JPEGImages', names)  # of 2019


def write_ovis(root):
    names = ['2592a4fa/img_0000001.jpg', '2592a4fa/img_0000002.jpg']
    write_tracks(root / 'annotations_train.json', root / 'train', names)


def write_saliency(root, images, masks):
    write_image(root / images / '0001.jpg')
    write_mask(root / masks / '0001.png', 255, save)


def write_got10k(root):
    """Two videos of three frames; in the second video's last frame the object is gone."""
    names = ['GOT-10k_Train_000001', 'GOT-10k_Train_000002']
    for name, absence in zip(names, ('000', '001'), strict=True):
        folder = root / 'train' / name
        for number in (1, 2, 3):
            write_image(folder / f'{number:08d}.jpg')
        boxes = [f'{3 + t}.0000,4.0000,40.0000,30.0000' for t in range(3)]
        (folder / 'groundtruth.txt').write_text('\n'.join(boxes) + '\n')
        (folder / 'absence.label').write_text('\n'.join(absence) + '\n')
        cover = '\n'.join('0' if gone == '1' else '8' for gone in absence)
        (folder / 'cover.label').write_text(cover + '\n')
    (root / 'train/list.txt').write_text('\n'.join(names) + '\n')
    convert('got10k/gen_got10k_infos.py', root, root / 'annotations')


def write_lasot(root):
    folder = root / 'LaSOTBenchmark/airplane/airplane-2'
    for number in (1, 2):
        write_image(folder / f'img/{number:08d}.jpg')
    (folder / 'groundtruth.txt').write_text('3,4,40,30\n4,4,40,30\n')
    (folder / 'full_occlusion.txt').write_text('0,0')
    (folder / 'out_of_view.txt').write_text('0,0')
    (root / 'testing_set.txt').write_text('airplane-1\n')


def write_trackingnet(root):
    for chunk in range(12):
        for number in (0, 1):
            write_image(root / f'TRAIN_{chunk}/frames/v_{chunk}/{number}.jpg')
        (root / f'TRAIN_{chunk}/anno').mkdir()
        (root / f'TRAIN_{chunk}/anno/v_{chunk}.txt').write_text('3,4,40,30\n4,4,40,30\n')
    convert('trackingnet/gen_trackingnet_infos.py', root, root / 'annotations')


def convert(script, root, output):
    """Run mmtrack's own converter on a training set."""
    functions = runpy.run_path(str(CONVERTERS / script))
    functions['gen_data_infos'](str(root), str(output), split='train')


def write_imagenet_vid(root):
    """A video of three frames; one of its two objects comes late and is hidden at last."""
    video = 'ILSVRC2015_VID_train_0000/ILSVRC2015_train_00000000'
    images, annotations = [], []
    for t in range(3):
        write_image(root / 'Data/VID/train' / video / f'{t:06d}.JPEG')
        images.append(
            dict(
                file_name=f'train/{video}/{t:06d}.JPEG',
                height=60,
                width=80,
                id=t + 1,
                frame_id=t,
                video_id=1,
                is_vid_train_frame=True,
            )
        )
        for instance_id in (1, 2)[: 1 + (t > 0)]:
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    video_id=1,
                    image_id=t + 1,
                    category_id=9,
                    instance_id=instance_id,
                    bbox=[2, 3, 40, 30],
                    area=1200,
                    iscrowd=False,
                    occluded=(instance_id, t) == (2, 2),
                    generated=False,
                )
            )
    write_json(
        root / 'annotations/imagenet_vid_train.json',
        categories=[dict(id=9, name='dog', encode_name='n02084071')],
        videos=[dict(id=1, name=f'train/{video}', vid_train_frames=[0, 1, 2])],
        images=images,
        annotations=annotations,
    )


def write_all(data):
    """Every dataset that the docs name, below one folder."""
    write_coco(data / 'coco')
    write_davis(data / 'DAVIS')
    write_segtrack(data / 'SegTrackv2')
    write_youtube_vos(data / 'YouTubeVOS')
    write_youtube_vis(data / 'YouTubeVIS')
    write_ovis(data / 'OVIS')
    write_saliency(data / 'DUTS-TR', 'DUTS-TR-Image', 'DUTS-TR-Mask')
    write_saliency(data / 'ECSSD', 'images', 'ground_truth_mask')
    write_saliency(data / 'MSRA10K_Imgs_GT', 'Imgs', 'Imgs')
    write_got10k(data / 'GOT10k')
    write_lasot(data / 'LaSOT_full')
    write_trackingnet(data / 'TrackingNet')
    write_imagenet_vid(data / 'ILSVRC')
