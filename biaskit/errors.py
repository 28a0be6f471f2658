"""
Every error that biaskit raises on purpose.

BiaskitError
    AnnotationError   a file cannot be read as boxes or keypoints
    ArchiveError      an archive is broken, hostile, or of no kind we read
    TableError        a table lacks a column, or a value is outside its limits
    StudyError        a study is locked, stale, or of another version
    NetworkError      a network is unknown, or answers in the wrong shape
    WeightsError      weights are not to be had, or not of this network
    SweepError        a sweep cannot be made of these images, or with these options
    WorkerError       a process that shared the work died
    SampleError       the sample data cannot be written where it was asked for
    ExportError       a table or chart cannot be written as asked
    ServerError       Label Studio does not answer as it should
"""

__all__ = [
    "AnnotationError",
    "ArchiveError",
    "BiaskitError",
    "ExportError",
    "NetworkError",
    "SampleError",
    "ServerError",
    "StudyError",
    "SweepError",
    "TableError",
    "WeightsError",
    "WorkerError",
]


class BiaskitError(ValueError):
    """Base of all errors below; the command line shows it without a traceback."""


class AnnotationError(BiaskitError):
    """A file cannot be read as boxes or keypoints."""


class ArchiveError(BiaskitError):
    """An archive is broken, hostile, or of no kind that we read."""


class TableError(BiaskitError):
    """A table lacks a column, or a value is outside its limits."""


class StudyError(BiaskitError):
    """A study is locked, stale, or of another version."""


class NetworkError(BiaskitError):
    """A network is unknown, or answers in the wrong shape."""


class WeightsError(BiaskitError):
    """Weights are not to be had, or not of this network."""


class SweepError(BiaskitError):
    """A sweep cannot be made of these images, or with these options."""


class WorkerError(BiaskitError):
    """A process that shared the work died."""


class SampleError(BiaskitError):
    """The sample data cannot be written where it was asked for."""


class ExportError(BiaskitError):
    """A table or chart cannot be written as asked."""


class ServerError(BiaskitError):
    """Label Studio does not answer as it should, or cannot be started."""
