"""Spans and metrics of a client, by OpenTelemetry.

::

    async with instrument(PyasClient()) as client:
        ...

It needs the extra ``opentelemetry``, which is OpenTelemetry's API alone. Where the spans and metrics go is for the
application to say, by an SDK; without one, nothing is recorded.
"""

from collections.abc import Mapping
from typing import TypeVar

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import TracerProvider, get_tracer
except ImportError as _error:  # pyright takes the name for one of the module's
    msg = "pyas_async.integrations.opentelemetry needs OpenTelemetry's API: pip install 'pyas_async[opentelemetry]'"
    raise ImportError(msg) from _error

from pyas_async import PyasClient, __version__
from pyas_async.integrations.opentelemetry._metrics import Metrics
from pyas_async.integrations.opentelemetry._spans import Spans

__all__ = ["instrument"]

C = TypeVar("C", bound=PyasClient)
_NAME = "pyas_async"


def instrument(
    client: C,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    attributes: Mapping[str, str] | None = None,
) -> C:
    """Make spans and metrics of all that a client and its views do, and give the client back.

    Each call is a span, with its attempts and waits as events; each iteration and each bulk run is one, too, with its
    calls as children. The span of a call is the current one while it is under way: what an instrumentation of httpx
    makes of its requests becomes children of it. Between two rows, the current span is what the reader made it.

    Args:
        client: The client; once is enough, for its views as well.
        tracer_provider: Where spans go, instead of the global provider.
        meter_provider: Where metrics go, instead of the global provider.
        attributes: Put on each span and each metric, as to tell two clients apart.

    Raises:
        ImportError: When this module is imported, if OpenTelemetry's API is not installed.
    """
    common = dict(attributes or {})
    client.subscribe(Spans(get_tracer(_NAME, __version__, tracer_provider), common))
    client.subscribe(Metrics(get_meter(_NAME, __version__, meter_provider), client, common))
    return client
