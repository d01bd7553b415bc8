"""Tiny videos of a square that moves."""

import cv2
import numpy as np

SIZE = (64, 96)  # height, width
BOXES = ['--box', '10,20,30,40', '--box', '50,5,70,25']


def draw_frame(t, size=SIZE):
    """(h, w, 3) BGR: a red square that moves by 2 pixels a frame."""
    frame = np.full((*size, 3), (90, 120, 60), np.uint8)
    frame[20:40, 10 + 2 * t : 30 + 2 * t] = (30, 40, 220)
    return frame


def write_video(path, num_frames=6, codec='mp4v', size=SIZE, fps=25):
    """Write it with OpenCV; returns its path."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size[::-1])
    assert writer.isOpened()
    for t in range(num_frames):
        writer.write(draw_frame(t, size))
    writer.release()
    return path
