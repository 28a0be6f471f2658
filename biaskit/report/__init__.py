"""The audit page: what a data set's boxes say about the people who made it, in one HTML file."""

from biaskit.report.audit import audit_page

__all__ = ["audit_page"]
