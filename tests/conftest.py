"""What several test files use: a folder of tiny clips and a tiny model."""

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import DATASETS, init_default_scope

import siampolarmask_mm  # noqa: F401  (first: it lets mmtrack import)
from siampolarmask_mm.datasets.synthetic import write_davis

ROOT = Path(__file__).parents[1]
os.environ['SIAMPOLARMASK_CACHE'] = '0'  # nothing is kept, or recalled, beyond a test


@pytest.fixture(autouse=True)
def _our_scope_and_fixed_seeds():
    init_default_scope('siampolarmask_mm')
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


@pytest.fixture(scope='session')
def clips(tmp_path_factory):
    """A folder in the layout of DAVIS: 3 training and 2 validation clips of 5 frames."""
    root = tmp_path_factory.mktemp('clips') / 'davis'
    write_davis(root, dict(train=3, val=2), num_frames=5, size=(64, 96))
    return root


@pytest.fixture
def model_config():
    """A SiamPolarMask of 33 and 65 pixels with 12 rays that builds in milliseconds."""
    return dict(
        type='SiamPolarMask',
        template_size=33,
        search_size=65,
        template_cells=3,
        data_preprocessor=dict(type='CropPreprocessor', mean=[127.0] * 3, std=[64.0] * 3),
        backbone=dict(
            type='mmdet.ResNet',
            depth=18,
            base_channels=8,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1,),
        ),
        neck=dict(
            type='mmdet.ChannelMapper', in_channels=[16], out_channels=16, kernel_size=1
        ),
        head=dict(
            type='PolarHead',
            in_channels=16,
            num_levels=1,
            num_rays=12,
            feat_channels=16,
            num_convs=1,
        ),
        assigner=dict(type='PolarTargetAssigner'),
        decoder=dict(type='PolarDecoder'),
        losses=dict(
            score=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
            centerness=dict(type='mmdet.CrossEntropyLoss', use_sigmoid=True),
            rays=dict(type='PolarIoULoss', loss_weight=1.5),
        ),
    )


@pytest.fixture
def train_pipeline():
    return [
        dict(type='SamplePair', negative_prob=0.0),
        dict(type='LoadPair'),
        dict(type='CropPair', template_size=33, search_size=65, max_shift=(0, 8)),
        dict(type='mmtrack.PackTrackInputs', ref_prefix='search', num_template_frames=1),
    ]


@pytest.fixture
def training_pairs(clips, train_pipeline):
    """Pairs of single objects in the training clips, for the tiny model."""
    return DATASETS.build(
        dict(
            type='DAVISDataset',
            data_root=str(clips),
            ann_file='ImageSets/2017/train.txt',
            objects='each',
            pipeline=train_pipeline,
        )
    )


@pytest.fixture
def test_pipeline():
    return [
        dict(type='LoadImageFromFile'),
        dict(type='mmtrack.LoadTrackAnnotations', with_mask=True),
        dict(type='mmtrack.PackTrackInputs', pack_single_img=True),
    ]
