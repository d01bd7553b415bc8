"""How long tracking takes beside the network alone, on real frames, reading excluded.

    python benchmarks/tracker.py data/DAVIS blackswan camel

Without ``--config``, it is the network that comes with the package.

The network runs in full; what it predicts is then replaced by what one that is never wrong
would say of the true masks, so that decoders have as much to do as with a trained network,
and each frame starts from the true box of the frame before. All that is compared runs by
turns in one process. The last line is one JSON object; times are medians over frames:
    network_ms: features of the search crop and the head, for one object
    network_visible_union_ms: the same and the refiner, if the network has one
    overhead_one_star, overhead_visible_union: what a frame takes besides, as a fraction of
        the time of its network
    end_to_end_ms, end_to_end_visible_union_ms: a frame with one star, or with a union
    objects_ms: a whole frame with this many objects, unions
    frames: that were timed
    amp_iou, amp_iou_lowest: of masks in the type of ``--amp`` and in the weights' own,
        mean and lowest of a sequence, each frame followed from the same state; with a
        checkpoint only
"""

from __future__ import annotations

import copy
import json
import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from mmengine.structures import InstanceData

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.evaluation.error_split import true_prediction
from siampolarmask_mm.model_zoo import CHECKPOINT, CONFIG_FILE
from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.tracked_object import first_star


def parse_args() -> Namespace:
    """The command line."""
    parser = ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('davis', type=Path, help='a folder in the layout of DAVIS')
    parser.add_argument('sequences', nargs='+', help='names of its sequences')
    parser.add_argument(
        '--config', help="of a SiamPolarMask; the package's own if not given"
    )
    parser.add_argument(
        '--checkpoint',
        help="weights; if not given, random ones, or the package's beside its config",
    )
    parser.add_argument('--frames', type=int, default=20, help='of each sequence')
    parser.add_argument('--threads', type=int, default=2, help='of torch and OpenCV')
    parser.add_argument('--device', default='cpu', help='cpu, cuda or cuda:1')
    parser.add_argument(
        '--objects', type=int, nargs='*', default=[1, 2, 5], help='numbers to time'
    )
    parser.add_argument(
        '--amp',
        choices=('bfloat16', 'float16'),
        default='bfloat16',
        help='type to compare masks in',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, help='key=value'
    )
    args = parser.parse_args()
    if args.config is None:
        args.config = CONFIG_FILE
        args.checkpoint = args.checkpoint or str(CHECKPOINT)
    return args


class Contestant:
    """A tracker of ``num`` times the same object that is set right before each frame."""

    def __init__(
        self,
        config: Config,
        weights: dict,
        decoding: str,
        num: int,
        device: str,
    ) -> None:
        config = config.copy()
        config.decoder.update(decoding=decoding)
        config.assigner.update(representation=decoding)
        self.model = MODELS.build(config).eval().to(device)
        self.device = torch.device(device)
        self.model.load_state_dict(weights)
        self.tracker = self.model.tracker
        self.num = num
        self.answer = None  # what the head is to say, instead of what it says

    def start(self, frame: Frame) -> None:
        """Give the object, untimed."""
        self.answer = None
        self.model.test_step(repeat_objects(frame.batch, self.num))
        head = self.tracker.running.model.head
        predict = type(head).predict

        def run_and_answer(features: torch.Tensor) -> PolarPrediction:
            prediction = predict(head, features)
            if self.answer is None:
                return prediction
            for part in prediction:
                part.cpu()  # as the tracker would: it waits for the device
            return self.answer

        head.predict = run_and_answer

    def prepare(self, frame: Frame, before: Frame) -> None:
        """Go to the true box of the frame before, and learn what is to be seen."""
        for item in self.tracker.objects:
            item.box = before.box
            item.star = first_star(before.box, None, self.model.head.num_rays)
        crop = self.tracker.window(self.tracker.objects[0], frame.mask.shape)
        mask = torch.from_numpy(crop.cut_mask(frame.mask)).bool()[None]
        self.answer = None
        answer = true_prediction(self.model, mask, self.network(frame)[1])
        self.answer = PolarPrediction(
            *(part.expand(self.num, *part.shape[1:]).contiguous() for part in answer)
        )

    def frame(self, frame: Frame) -> float:
        """Milliseconds that a frame takes."""
        batch = repeat_objects(frame.batch, self.num)
        start = self.now()
        self.model.test_step(batch)
        return self.now() - start

    def network(self, frame: Frame) -> tuple[float, PolarPrediction]:
        """Milliseconds that the network alone takes for one object, and what it says.

        One star is never redrawn.
        """
        item, image = self.tracker.objects[0], frame.batch['inputs']['img'][0]
        window = self.tracker.window(item, frame.mask.shape)
        running, model = self.tracker.running, self.tracker.running.model
        with running.inference.context(self.device):
            crop = running.prepare(running.cut(image, [window]))
            confidence = torch.zeros(1, window.size, window.size, device=self.device)
            start = self.now()
            fine, search = model.see(crop)
            features = model.head.compare(item.templates[0], search)
            prediction = model.head.predict(features)
            if model.refiner is not None and model.decoder.decoding != 'one_star':
                model.refiner(confidence, fine, features)
            taken = self.now() - start
        return taken, PolarPrediction(*(part.float().cpu() for part in prediction))

    def now(self) -> float:
        """Milliseconds, when all that was asked for is done."""
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        return time.perf_counter() * 1000


def read_frames(config: Config, args: Namespace) -> dict[str, list[Frame]]:
    """The first frames of each sequence, as the test pipeline of a config gives them."""
    images = args.davis / 'JPEGImages'
    folder = next(images.rglob(args.sequences[0]), None)
    if folder is None:
        raise SystemExit(f'no sequence {args.sequences[0]} in {images}')
    resolution = folder.parent.relative_to(images)
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as names:
        names.write('\n'.join(args.sequences))
        names.flush()
        dataset = DATASETS.build(
            dict(
                type='DAVISDataset',
                data_root=str(args.davis),
                ann_file=names.name,
                objects='merged',
                data_prefix=dict(
                    img_path=f'JPEGImages/{resolution}',
                    mask_path=f'Annotations/{resolution}',
                ),
                pipeline=config.test_dataloader.dataset.pipeline,
                test_mode=True,
            )
        )
    frames = {}
    for video, sequence in enumerate(args.sequences):
        number = min(args.frames, dataset.get_len_per_video(video))
        samples = [dataset[(video, t)] for t in range(number)]
        frames[sequence] = [Frame.of(pseudo_collate([sample])) for sample in samples]
    return frames


class Frame(NamedTuple):
    """A frame, ready to be tracked in."""

    batch: dict
    mask: np.ndarray
    box: torch.Tensor

    @classmethod
    def of(cls, batch: dict) -> Frame:
        """With the truth of its only object."""
        found = batch['data_samples'][0].gt_instances
        return cls(batch, found.masks.masks[0], found.bboxes[0])


def repeat_objects(batch: dict, num: int) -> dict:
    """The same frame, its only object given ``num`` times."""
    sample = copy.deepcopy(batch['data_samples'][0])
    found = sample.gt_instances
    sample.gt_instances = InstanceData(
        bboxes=found.bboxes.repeat(num, 1),
        masks=BitmapMasks(found.masks.masks.repeat(num, 0), *found.masks.masks.shape[1:]),
    )
    sample.set_metainfo(dict(instances=sample.instances * num))
    return dict(inputs=batch['inputs'], data_samples=[sample])


def measure(args: Namespace, config: Config) -> dict[str, list[float]]:
    """Milliseconds of each contestant in each frame; all take turns."""
    model = MODELS.build(config.model)
    if args.checkpoint:
        load_checkpoint(model, args.checkpoint, map_location='cpu')
    else:
        model.init_weights()
    weights = model.state_dict()
    contestants = dict(
        one_star=Contestant(config.model, weights, 'one_star', 1, args.device),
        visible_union=Contestant(config.model, weights, 'visible_union', 1, args.device),
    )
    for num in args.objects:
        contestants[num] = Contestant(
            config.model, weights, 'visible_union', num, args.device
        )
    times = defaultdict(list)
    for frames in read_frames(config, args).values():
        for contestant in contestants.values():
            contestant.start(frames[0])
        for before, frame in pairwise(frames):
            for name, contestant in contestants.items():
                contestant.prepare(frame, before)
                times[name].append(contestant.frame(frame))
            for name in ('one_star', 'visible_union'):
                times[f'network of {name}'].append(contestants[name].network(frame)[0])
    return times


def compare_masks(args: Namespace, config: Config) -> list[float]:
    """Mean IoU of masks in two precisions, of each sequence."""
    models = []
    for amp in (None, args.amp):
        model_config = config.model.copy()
        model_config.inference = dict(model_config.get('inference', {}), amp=amp)
        models.append(MODELS.build(model_config).eval().to(args.device))
        load_checkpoint(models[-1], args.checkpoint, map_location='cpu')
    means = []
    for frames in read_frames(config, args).values():
        for model in models:
            model.test_step(repeat_objects(frames[0].batch, 1))
        overlaps = []
        for frame in frames[1:]:
            exact, other = (model.tracker.objects[0] for model in models)
            # All that is remembered but the templates, which are the network's own.
            vars(other).update(vars(exact), templates=other.templates)
            masks = [
                model.test_step(repeat_objects(frame.batch, 1))[
                    0
                ].pred_track_instances.masks
                for model in models
            ]
            union = (masks[0] | masks[1]).sum()
            overlaps.append(float((masks[0] & masks[1]).sum() / union) if union else 1.0)
        means.append(statistics.mean(overlaps))
    return means


def summary(times: dict[str, list[float]], objects: list[int]) -> dict:
    """Medians, and what a frame takes beside the network of the same frame."""
    middle = {name: statistics.median(values) for name, values in times.items()}

    def overhead(name: str) -> float:
        network = f'network of {name}'
        pairs = zip(times[name], times[network], strict=True)
        besides = statistics.median(whole - alone for whole, alone in pairs)
        return round(besides / middle[network], 3)

    return dict(
        network_ms=round(middle['network of one_star'], 2),
        network_visible_union_ms=round(middle['network of visible_union'], 2),
        overhead_one_star=overhead('one_star'),
        overhead_visible_union=overhead('visible_union'),
        end_to_end_ms=round(middle['one_star'], 2),
        end_to_end_visible_union_ms=round(middle['visible_union'], 2),
        objects_ms={num: round(middle[num], 2) for num in objects},
        frames=len(times['one_star']),
    )


def main() -> None:
    """Measure and print."""
    args = parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options)
    init_default_scope(config.get('default_scope'))
    with torch.no_grad():
        figures = summary(measure(args, config), args.objects)
        if args.checkpoint:
            means = compare_masks(args, config)
            figures.update(
                amp_iou=round(statistics.mean(means), 4),
                amp_iou_lowest=round(min(means), 4),
            )
    print(json.dumps(figures))


if __name__ == '__main__':
    main()
