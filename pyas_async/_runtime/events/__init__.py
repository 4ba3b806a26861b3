"""The events of a client: who hears of what."""

from pyas_async._runtime.events.emitter import EventEmitter, Job
from pyas_async._runtime.events.trace import CallTrace

__all__ = ["CallTrace", "EventEmitter", "Job"]
