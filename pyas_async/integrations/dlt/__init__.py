"""A dlt source that loads the meetings of many accounts into any destination of dlt.

It needs the extra ``dlt``, which includes DuckDB. `load_meetings` loads slice after slice into a pipeline of yours;
`meetings_source` is only the source, for programs that run it themselves.

Each load package contains the progress of the listing next to the rows, and the rows are merged by a key. So a process
that is killed at any point leaves neither a gap nor a duplicate.
"""

from pyas_async.integrations.dlt._load import Loaded, load_meetings
from pyas_async.integrations.dlt._source import meetings_source

__all__ = ["Loaded", "load_meetings", "meetings_source"]
