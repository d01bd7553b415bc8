"""YouTubeVOSDataset: the folder of YouTube-VOS, its labels and categories."""

from __future__ import annotations

from pathlib import Path

import mmengine

from siampolarmask_mm.datasets.davis import DAVISDataset
from siampolarmask_mm.registry import DATASETS


@DATASETS.register_module()
class YouTubeVOSDataset(DAVISDataset):
    """Videos of which every fifth frame has masks, an item per object.

    Expects, below ``data_root``::

        JPEGImages/<video>/00000.jpg ...     every fifth frame, or all of them
        Annotations/<video>/00000.png ...    label images, 0 is background
        meta.json                            the videos, and each object's category

    Args:
        data_root: the folder above.
        ann_file: the videos, as ``meta.json`` or one a line; every folder of labels, with
            no category known, if empty.
        data_prefix: the folders of images and label images below ``data_root``.
        later_objects: as in DAVISDataset.
        **kwargs: of DAVISDataset: ``min_area``, ``test_mode``, ...

    Raises:
        FileNotFoundError: if a folder or file is missing.
        ValueError: if ``meta.json`` or a file cannot be read, an image and its labels
            differ in size, or a video has no object.
    """

    def __init__(
        self,
        data_root: str,
        ann_file: str | None = 'meta.json',
        *,
        data_prefix: dict | None = None,
        later_objects: bool = True,
        **kwargs: object,
    ) -> None:
        self.categories: dict[str, dict[int, str]] = {}
        super().__init__(
            ann_file,
            data_root,
            data_prefix=data_prefix or dict(img_path='JPEGImages', mask_path='Annotations'),
            later_objects=later_objects,
            **kwargs,
        )

    def list_sequences(self) -> list[str]:
        """Names of the videos."""
        if not self.ann_file.endswith('.json'):
            return super().list_sequences()
        self.categories = read_meta(self.ann_file)
        return sorted(self.categories)

    def find_category(self, sequence: str, object_id: int) -> str | None:
        """The category's name."""
        return self.categories.get(sequence, {}).get(object_id)


def read_meta(path: str | Path) -> dict[str, dict[int, str]]:
    """Category of each object, by video and label, from YouTube-VOS's ``meta.json``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is something else.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"no meta.json at {path}; ann_file='' takes every folder of labels"
        )
    try:
        videos = mmengine.load(str(path))['videos']
        categories = {
            video: {
                int(i): thing.get('category') for i, thing in content['objects'].items()
            }
            for video, content in videos.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f'videos with their objects expected in {path}') from error
    if not categories:
        raise ValueError(f'at least one video expected, got none in {path}')
    return categories
