"""Answers to images at other sizes and places, and to random crops of them together."""
