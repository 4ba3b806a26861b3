"""OpenTelemetry spans and metrics of a client.

::

    async with instrument(PyasClient()) as client:
        ...

It needs the extra ``opentelemetry``, which is OpenTelemetry's API only. The application decides where spans and metrics
go, by installing an SDK; without one, nothing is recorded.
"""

from collections.abc import Mapping
from typing import TypeVar

try:
    from opentelemetry.metrics import MeterProvider, get_meter
    from opentelemetry.trace import TracerProvider, get_tracer
except ImportError as _error:  # with the underscore, since pyright takes other names for the module's public ones
    from pyas_async._extras import how_to_install

    _msg = f"pyas_async.integrations.opentelemetry needs OpenTelemetry's API: {how_to_install('opentelemetry')}"
    raise ImportError(_msg) from _error

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
    """Record spans and metrics of everything that a client and its views do, and return the client.

    Each call is a span, with its attempts and waits as events. Each iteration and each bulk run is a span, too, with
    its calls as children. During a call, its span is the current one, so spans that an instrumentation of httpx makes
    become its children. Between two rows of an iteration, the consumer's own span is the current one.

    Args:
        client: The client; its views are included.
        tracer_provider: The provider for spans; default: the global one.
        meter_provider: The provider for metrics; default: the global one.
        attributes: Attributes for each span and each metric, for example to tell two clients apart.

    Raises:
        ImportError: On import of this module, if OpenTelemetry's API is not installed.
    """
    common = dict(attributes or {})
    client.subscribe(Spans(get_tracer(_NAME, __version__, tracer_provider), common))
    client.subscribe(Metrics(get_meter(_NAME, __version__, meter_provider), client, common))
    return client
