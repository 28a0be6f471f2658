"""Tests of uniformity in position and scale, effect sizes, and their calibration."""
