"""The meetings of many accounts, in a warehouse: a source for dlt, which brings them to whatever dlt can write to.

Needs the extra ``dlt``, which has DuckDB with it. `load_meetings` loads slice after slice into a pipeline of yours;
`meetings_source` is the source alone, for those who run it themselves.

How far it has come rides in each load package, beside the rows that it is true of, and the rows of a package are
merged by a key. So a process that is killed, at whatever point, leaves neither a gap nor a second row.
"""

from pyas_async.integrations.dlt._load import Loaded, load_meetings
from pyas_async.integrations.dlt._source import meetings_source

__all__ = ["Loaded", "load_meetings", "meetings_source"]
