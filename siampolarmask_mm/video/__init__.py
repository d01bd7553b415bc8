"""From a video file, a folder of images or a camera to masks, and how they are written."""
