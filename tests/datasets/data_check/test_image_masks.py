"""What data_check promises of images and masks."""

import numpy as np
from findings import counts, found, labels, write_image
from PIL import Image


def test_all_that_is_wrong_with_images_and_masks_is_found_at_once(tmp_path):
    for name in 'abcdef':
        write_image(tmp_path / f'Image/{name}.jpg')
        (tmp_path / 'Mask').mkdir(exist_ok=True)
        Image.fromarray(labels(200)).save(tmp_path / f'Mask/{name}.png')
    assert found(tmp_path) == []
    assert counts(tmp_path) == dict(objects=6, frames=6, masks=6)
    Image.fromarray(labels(127)).save(tmp_path / 'Mask/a.png')
    write_image(tmp_path / 'Mask/b.png')
    Image.fromarray(np.full((20, 31), 255, np.uint8)).save(tmp_path / 'Mask/c.png')
    (tmp_path / 'Mask/d.png').unlink()
    (tmp_path / 'Image/e.jpg').unlink()
    assert found(tmp_path) == [
        'Image/d.jpg: error: no mask in Mask',
        'Mask/e.png: error: no image in Image',
        'Mask/a.png: error: no pixel above 127',
        'Mask/b.png: error: an indexed or grey PNG of labels expected, got mode RGB in it',
        'Mask/c.png: error: size (20, 30) of its image expected, got (20, 31)',
        'Mask/c.png: warning: the object fills the image',
    ]


def test_images_and_masks_may_share_a_folder(tmp_path):
    for name in 'ab':
        write_image(tmp_path / f'{name}.jpg')
        Image.fromarray(labels(200)).save(tmp_path / f'{name}.png')
    assert counts(tmp_path) == dict(objects=2, frames=2, masks=2)
