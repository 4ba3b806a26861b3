"""The service: it takes requests and returns responses. Its only I/O is the store, so any server can run it."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlencode

from pyas_async.sandbox import _responses as responses
from pyas_async.sandbox import _writing as writing
from pyas_async.sandbox._checks import check_meeting, is_blank
from pyas_async.sandbox._details import build_detail
from pyas_async.sandbox._identifiers import IdentifierSource, host_id
from pyas_async.sandbox._limits import DailyWrites, RateLimit
from pyas_async.sandbox._query import page_number, read_list_query
from pyas_async.sandbox._responses import ApiResponse, Json, fault, json_response
from pyas_async.sandbox._settings import PLAN_CALLS, Settings
from pyas_async.sandbox._tokens import PageTokens

if TYPE_CHECKING:
    from pyas_async.sandbox._seen import SeenRequest
    from pyas_async.sandbox._store import Store

_MEETINGS: Final = "/zoom/meetings"


class Service:
    """The seven calls. Each first passes the checks of the API key and the rate limit."""

    def __init__(self, settings: Settings, store: Store, seed: int, starts: int) -> None:
        self.settings: Final = settings
        self.store: Final = store
        self.seed: Final = seed
        # The number of starts is in the seeds, so that a restarted sandbox does not repeat its identifiers.
        # S311: none of these has to be hard to guess.
        self.ids: Final = IdentifierSource(Random(f"{seed}/mint/{starts}"))  # noqa: S311
        self.tokens: Final = PageTokens(Random(f"{seed}/tokens/{starts}"))  # noqa: S311
        self.calls: Final = RateLimit()
        self._writes = DailyWrites()

    def respond(self, request: SeenRequest, api_key: str | None) -> ApiResponse:
        """Answer one request of the API."""
        settings = self.settings
        if api_key is None or api_key != settings.api_key:
            return responses.unauthorized()
        verdict = self.calls.count(api_key, PLAN_CALLS[settings.plan], settings.window, settings.clock())
        if not verdict.allowed:
            response = responses.too_many_calls()
        elif request.method == "GET":
            response = self._route(request)
        else:
            # A reader of the file, and one who finds it after a kill, sees all of a write or nothing.
            with self.store.transaction():
                response = self._route(request)
        response.headers |= verdict.headers
        return response

    def _route(self, request: SeenRequest) -> ApiResponse:
        if request.malformed:
            return responses.invalid([{"msg": "Malformed JSON", "param": "", "location": "body"}])
        calls = {
            ("GET", _MEETINGS): self._list,
            ("POST", _MEETINGS): self._create,
            ("GET", "/zoom/oauth"): self._oauth,
            ("POST", "/zoom/connect"): self._connect,
        }
        call = calls.get((request.method, request.path))
        if call is not None:
            return call(request)
        prefix, _, raw = request.path.rpartition("/")
        if prefix != _MEETINGS or raw == "":
            allowed = [method for method, path in calls if path == request.path]
            return responses.not_allowed(allowed) if allowed else responses.not_found()
        one = {"GET": self._get, "PATCH": self._update, "DELETE": self._delete}
        if request.method not in one:
            return responses.not_allowed(one)
        return one[request.method](request, raw)

    def _list(self, request: SeenRequest) -> ApiResponse:
        settings, now = self.settings, self.settings.clock()
        query, faults = read_list_query(request.query, settings)
        if faults:
            return responses.invalid(faults)
        if self.store.account(query.account_id) is None:
            return responses.unknown_account()
        offset, number = 0, page_number(request.query, settings)
        token = request.query.get("nextPageToken")
        if token:
            found = self.tokens.offset(token, query, now, settings.token_ttl)
            if found is None:
                return responses.expired(settings.expired_answer)
            offset = found
        elif number is not None:
            offset = (number - 1) * query.size
        total, rows = self.store.page(query.account_id, *query.condition(now), query.size, offset)
        after = offset + query.size
        following = self.tokens.issue(query, after, now) if number is None and after < total else ""
        # The rows are stored as JSON: parsing and encoding them again would be most of the work of a response.
        page = (
            f'{{"success":true,"data":{{"page_size":{query.size},"total_records":{total},'
            f'"next_page_token":"{following}","meetings":[{",".join(rows)}]}}}}'
        )
        return ApiResponse(200, page.encode(), "application/json; charset=utf-8")

    def _get(self, request: SeenRequest, raw: str) -> ApiResponse:
        account_id, rows, refusal = self._meeting(request, raw)
        if refusal is not None:
            return refusal
        return json_response(200, {"success": True, "meeting": self.detail(account_id, rows)})

    def _create(self, request: SeenRequest) -> ApiResponse:
        body = _object(request.body)
        account_id, refusal = self._writable(body)
        if refusal is not None:
            return refusal
        account = self.store.account(account_id) or {}
        meeting_id = self.ids.meeting_id()
        meeting = writing.create(body["meetingData"], self.ids, host_id(account), meeting_id, self.settings.clock())
        self.store.insert(account_id, meeting.rows)
        self.store.set_detail(account_id, [(meeting_id, meeting.extra)])
        return json_response(200, {"success": True, "data": self.detail(account_id, meeting.rows)})

    def _update(self, request: SeenRequest, raw: str) -> ApiResponse:
        body = _object(request.body)
        account_id = body.get("accountId")
        rows = self.find(account_id, raw) if isinstance(account_id, str) else []
        # 0 stands for a meeting that does not exist, whose type cannot be checked.
        current_type = rows[0].get("type", 0) if rows else 0
        account_id, refusal = self._writable(body, current_type)
        if refusal is not None:
            return refusal
        if not rows:
            return responses.unknown_meeting(unquote(raw))
        meeting_id = rows[0]["id"]
        rows = self.store.series(account_id, str(meeting_id))
        old = writing.Meeting(rows, self.store.detail(account_id, meeting_id))
        meeting = writing.update(body["meetingData"], old, self.ids)
        self.store.replace(account_id, meeting_id, meeting.rows)
        self.store.set_detail(account_id, [(meeting_id, meeting.extra)])
        if self.settings.update_answer == "meeting":
            return json_response(200, {"success": True, "meeting": self.detail(account_id, meeting.rows)})
        return _done(self.settings.update_answer)

    def _delete(self, request: SeenRequest, raw: str) -> ApiResponse:
        account_id, rows, refusal = self._meeting(request, raw)
        if refusal is not None:
            return refusal
        self.store.replace(account_id, rows[0]["id"], [])
        return _done(self.settings.delete_answer)

    def _oauth(self, request: SeenRequest) -> ApiResponse:
        parameters = {
            "response_type": "code",
            "client_id": "sandbox",
            "redirect_uri": "https://api.pyas.io/zoom/oauth/callback",
        }
        if "state" in request.query:
            parameters["state"] = request.query["state"]
        return json_response(200, {"success": True, "url": f"https://zoom.us/oauth/authorize?{urlencode(parameters)}"})

    def _connect(self, request: SeenRequest) -> ApiResponse:
        body = _object(request.body)
        faults: list[Json] = []
        for name in ("code", "name"):
            value = body.get(name)
            if not isinstance(value, str) or is_blank(value):
                faults.append(fault(name, "body", *([body[name]] if name in body else [])))
        if faults:
            return responses.invalid(faults)
        email = f"user{len(self.store.account_ids()) + 1}@example.com"
        account = self.ids.account(body["name"], email)
        self.store.add_account(account)
        return json_response(200, {"success": True, "data": {"account": account}})

    def find(self, account_id: str, raw: str) -> list[Json]:
        """Return the rows of the meeting that the last part of a raw path names."""
        once = unquote(raw)
        # Zoom does not find a uuid with such slashes unless it is encoded twice; the sandbox must not, either.
        if not once.startswith("/") and "//" not in once:
            rows = self.store.series(account_id, once)
            if rows:
                return rows
        twice = unquote(once)
        return [] if twice == once else self.store.series(account_id, twice)

    def detail(self, account_id: str, rows: list[Json]) -> Json:
        """Build the details of the meeting with these rows."""
        account = self.store.account(account_id) or {}
        extra = self.store.detail(account_id, rows[0]["id"])
        return build_detail(rows, extra, account, self.seed, self.settings.clock())

    def _account(
        self, fields: dict[str, Any], location: str, faults: list[Json] | None = None
    ) -> tuple[str, ApiResponse | None]:
        account_id = fields.get("accountId")
        faults = [*(faults or [])]
        if not isinstance(account_id, str) or not account_id:
            faults.insert(0, fault("accountId", location, *([account_id] if account_id is not None else [])))
            return "", responses.invalid(faults)
        if faults:
            return account_id, responses.invalid(faults)
        known = self.store.account(account_id) is not None
        return account_id, None if known else responses.unknown_account()

    def _meeting(self, request: SeenRequest, raw: str) -> tuple[str, list[Json], ApiResponse | None]:
        """Find the meeting of a request without a body: return its account and rows, or a refusal."""
        account_id, refusal = self._account(request.query, "query")
        rows = self.find(account_id, raw) if refusal is None else []
        if refusal is None and not rows:
            refusal = responses.unknown_meeting(unquote(raw))
        return account_id, rows, refusal

    def _writable(self, body: Json, current_type: int | None = None) -> tuple[str, ApiResponse | None]:
        """Check the account and the fields of a write, and count it for the day: return the account, or a refusal."""
        account_id, refusal = self._account(body, "body", check_meeting(body.get("meetingData"), current_type))
        return account_id, self._daily(account_id) if refusal is None else refusal

    def _daily(self, account_id: str) -> ApiResponse | None:
        limit = self.settings.daily_writes
        if limit is None or self._writes.count(account_id, limit, self.settings.clock()):
            return None
        return responses.too_many_writes(limit)


def _object(body: object) -> Json:
    return cast("Json", body) if isinstance(body, dict) else {}


def _done(how: str) -> ApiResponse:
    if how == "no_content":
        return ApiResponse(204)
    if how == "empty":
        return ApiResponse(200)
    return json_response(200, {"success": True})
