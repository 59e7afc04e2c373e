"""Which step makes which feature: adding one is a module and a line here."""

from collections.abc import Mapping
from typing import Final

from harken.audio import Feature
from harken.tasks.plan.insights import InsightsStep
from harken.tasks.plan.pictures import PicturesStep
from harken.tasks.plan.prepare import PrepareStep
from harken.tasks.plan.stems import StemsStep
from harken.tasks.plan.step import Step
from harken.tasks.plan.transcript import TranscriptStep
from harken.tasks.plan.video import VideoStep

STEPS: Final[Mapping[Feature, type[Step]]] = {
    Feature.STEMS: StemsStep,
    Feature.PREPARE: PrepareStep,
    Feature.VIDEO: VideoStep,
    Feature.PICTURES: PicturesStep,
    Feature.TRANSCRIPT: TranscriptStep,
    Feature.INSIGHTS: InsightsStep,
}
