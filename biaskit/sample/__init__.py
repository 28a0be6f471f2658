"""The sample study's data: boxes with planted laws, photographs, eye marks and a film."""

from biaskit.sample.categories import LAWS
from biaskit.sample.laws import PlantedLaw, Verdicts, draw_boxes
from biaskit.sample.write import SampleWritten, write_sample

__all__ = ["LAWS", "PlantedLaw", "SampleWritten", "Verdicts", "draw_boxes", "write_sample"]
