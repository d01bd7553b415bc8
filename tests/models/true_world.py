"""A head that is never wrong: it tells the truth about disks in the crops it is shown."""

import torch

from siampolarmask_mm.models.polar_head import PolarPrediction
from siampolarmask_mm.models.running_network import RunningNetwork
from siampolarmask_mm.polar import ray_directions

SURE = 9.0  # logit


class TrueWorld:
    """Replaces the head of a tracker's network.

    Attributes:
        disks: (x, y, radius) of each object in the image, in the order of the tracker's;
            None where it is not to be seen.
        logits: of the score where an object is, one for all.
        crops: the search crops of the last frame.
    """

    def __init__(self, model, monkeypatch, disks):
        self.model = model
        self.disks = disks
        self.logits = SURE
        self.crops = []
        cut = RunningNetwork.cut

        def remember(running, frame, crops):
            if running.network is model:
                self.crops = crops
            return cut(running, frame, crops)

        monkeypatch.setattr(RunningNetwork, 'cut', remember)
        monkeypatch.setattr(model.head, 'forward', self.predict)

    def predict(self, template, search, previous=None):  # noqa: ARG002
        """The same with every template, of which all objects have as many."""
        num_rays = self.model.head.num_rays
        side = search[0].shape[-1] - template[0].shape[-1] + 1
        shape = len(self.crops), side, side
        maps = PolarPrediction(
            torch.full(shape, -SURE),
            torch.full(shape, -SURE),
            torch.full((shape[0], num_rays, side, side), 8.0),
        )
        points = self.model.location_points(maps)
        shown = [disk for disk in self.disks if disk != 'to come']
        for i, (crop, disk) in enumerate(zip(self.crops, shown, strict=True)):
            if disk is None:
                continue
            x, y, radius = disk
            center = crop.from_image(torch.tensor([x, y], dtype=torch.float32))
            offset, radius = points - center, radius * crop.scale
            # |offset + r u| = radius, solved for r.
            along = offset @ ray_directions(num_rays, offset).T
            beyond = radius**2 - offset.square().sum(-1)
            rays = (along.square() + beyond[..., None]).clamp_min(0).sqrt() - along
            inside = beyond > 0
            maps.scores[i][inside] = self.logits
            share = rays.amin(-1) / rays.amax(-1)
            maps.centerness[i][inside] = share.sqrt().logit(1e-4)[inside]
            maps.rays[i] = torch.where(inside, rays.permute(2, 0, 1), maps.rays[i])
        templates_of_each = len(template[0]) // len(self.crops)
        return PolarPrediction(*(m.repeat_interleave(templates_of_each, 0) for m in maps))


def disk_box(x, y, radius):
    """The box around a disk whose center is a point."""
    return [x + 0.5 - radius, y + 0.5 - radius, x + 0.5 + radius, y + 0.5 + radius]
