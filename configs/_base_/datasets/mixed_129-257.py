# The mixture of mixed.py in the crops of MobileNetV2. For crops of another size, copy this
# file and change the two numbers.

_base_ = './mixed.py'

crop_sizes = dict(template_size=129, search_size=257)  # pixels, those of the model

train_pipeline = [
    dict(step, **crop_sizes) if step['type'] == 'CropPair' else step
    for step in _base_.train_pipeline
]
datasets = [
    # Each dataset has its own SamplePair.
    dict(dataset, pipeline=[dataset['pipeline'][0], *train_pipeline[1:]])
    for dataset in _base_.train_dataloader.dataset.dataset.datasets
]
train_dataloader = dict(dataset=dict(dataset=dict(datasets=datasets)))
