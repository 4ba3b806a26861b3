"""The events of a client, for its handlers and for the log."""

from pyas_async._runtime.events.emitter import EventEmitter, Job
from pyas_async._runtime.events.trace import CallTrace

__all__ = ["CallTrace", "EventEmitter", "Job"]
