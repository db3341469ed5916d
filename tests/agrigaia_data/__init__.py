"""Agri-Gaia's data: CVAT's annotations, COCO and YOLO, the split, the demo, a folder, and conversions to CVAT."""
