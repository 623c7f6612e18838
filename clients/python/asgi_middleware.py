"""An ASGI middleware that reports to the dtesn bridge what an engine does, or asks it for the engine of a request.

In an engine, Aphrodite or vLLM, which take middlewares by name (the folder of this file on PYTHONPATH):

    DTESN_BRIDGE=http://127.0.0.1:2250 DTESN_ENGINE=a  vllm serve MODEL --middleware asgi_middleware.DtesnMiddleware

    each request for a completion is reported as dispatched, its first part of the body as its first token, its end as finished,
    with the load that the engine wrote into the header endpoint-load-metrics (ORCA) and the request's traceparent (W3C). Reports are sent beside the request, which
    never waits for them.

In a router of your own, `DtesnMiddleware(app, role="router")`:

    scope["dtesn.pick"] is the answer of POST /v1/pick, {'engine', 'url', 'reason', ...}, or None where there was none within
    the budget: then choose as without the bridge.

It fails open: whatever the bridge does, the request goes on after `budget` seconds (0.05). After 3 failures in a row the bridge
is not asked for `break_seconds` (5), then once, and the outcome of that decides. Standard library alone, Python 3.9 or later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import time
import uuid
from typing import Any, Awaitable, Callable, Dict, List, Optional, Sequence, Set, Tuple
from urllib.parse import urlsplit

Scope = Dict[str, Any]
Message = Dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("dtesn")

COMPLETION_PATHS = ("/v1/completions", "/v1/chat/completions", "/v1/responses", "/v1/messages", "/generate")
LOAD_HEADER = b"endpoint-load-metrics"
LOAD_FORMAT_HEADER = b"endpoint-load-metrics-format"
TRACE_HEADER = b"traceparent"
# Objectives of a request, which the bridge refuses where they are malformed: such a one is not handed on.
OBJECTIVE_HEADERS = (b"x-llm-d-slo-ttft-ms", b"x-llm-d-slo-tpot-ms")
VALID_TRACE = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
VALID_OBJECTIVE = re.compile(r"(?=.*[1-9])[0-9]{1,9}(\.[0-9]{1,9})?")
MOST_IDLE_CONNECTIONS = 8
MOST_PENDING_REPORTS = 1000
IDLE_SECONDS = 60.0  # the bridge drops an idle connection after 75 s
FAILURES_BEFORE_BREAK = 3


class NoAnswer(Exception):
    """The bridge did not answer what was asked."""


class Breaker:
    """Closed; after 3 failures in a row open for `seconds`; then half open: one question, whose outcome decides."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failures = 0
        self._open_until = 0.0

    def admit(self) -> bool:
        if self._failures < FAILURES_BEFORE_BREAK:
            return True
        now = time.monotonic()
        if now < self._open_until:
            return False
        self._open_until = now + self._seconds
        return True

    def ended(self, failed: bool) -> None:
        self._failures = self._failures + 1 if failed else 0
        if self._failures == FAILURES_BEFORE_BREAK:
            log.warning("the dtesn bridge does not answer; it is not asked for %g s", self._seconds)
        if self._failures >= FAILURES_BEFORE_BREAK:
            self._open_until = time.monotonic() + self._seconds


class BridgeQuestions:
    """POST of small JSON to the bridge within a budget, over kept connections; None for whatever fails."""

    def __init__(self, address: str, token_file: Optional[str], budget: float, break_seconds: float) -> None:
        self._path: Optional[str] = None
        self._host, self._port = "localhost", 80
        if address.startswith("unix:"):
            self._path = address[len("unix:"):]
        else:
            url = urlsplit(address)
            if url.scheme != "http" or not url.hostname:
                raise ValueError(f"Expected 'http://host:port' or 'unix:/path' for the bridge but received {address!r}")
            self._host, self._port = url.hostname, url.port or 80
        self._token_file = token_file
        self._token: Optional[str] = None
        self._budget = budget
        self._breaker = Breaker(break_seconds)
        self._idle: List[Tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []

    async def ask(self, path: str, message: Message, headers: Dict[str, str]) -> Optional[Message]:
        if not self._breaker.admit():
            return None
        try:
            status, answer = await asyncio.wait_for(self._exchange(path, message, headers), self._budget)
            error = answer.get("error")
            has_no_engine = isinstance(error, dict) and error.get("code") == "no_engine"
            self._breaker.ended(failed=status >= 500 and not has_no_engine)
            if status == 401:
                self._token = None  # it may have been rotated: the next question reads the file again
            return answer if status == 200 else None
        except Exception as error:  # fail open: whatever it is, the request goes on
            log.debug("POST %s: %r", path, error)
            self._breaker.ended(failed=True)
            return None

    async def close(self) -> None:
        for _, writer, _ in self._idle:
            writer.close()
        self._idle.clear()

    async def _exchange(self, path: str, message: Message, headers: Dict[str, str]) -> Tuple[int, Message]:
        request = self._request(path, message, headers)
        while self._idle:
            reader, writer, since = self._idle.pop()
            if time.monotonic() - since > IDLE_SECONDS or writer.is_closing() or reader.at_eof():
                writer.close()
                continue
            try:
                return await self._answer(reader, writer, request)
            except (OSError, EOFError):
                continue  # the bridge had closed it; these questions may be asked twice
        if self._path is not None:
            reader, writer = await asyncio.open_unix_connection(self._path)
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        return await self._answer(reader, writer, request)

    def _request(self, path: str, message: Message, headers: Dict[str, str]) -> bytes:
        body = json.dumps(message, separators=(",", ":")).encode()
        host = "localhost" if self._path is not None else f"{self._host}:{self._port}"
        lines = [f"POST {path} HTTP/1.1", f"host: {host}", "content-type: application/json", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self._token_file is not None:
            if self._token is None:
                with open(self._token_file, encoding="utf-8") as file:
                    self._token = file.readline().strip()
            lines.append(f"authorization: Bearer {self._token}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
    ) -> Tuple[int, Message]:
        is_whole = False
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            status = re.match(r"http/1\.1 (\d{3})", head)
            length = re.search(r"\r\ncontent-length: *(\d{1,7})\r\n", head)
            if status is None or length is None:
                raise NoAnswer(head[:100])
            answer = json.loads(await reader.readexactly(int(length[1])))
            if not isinstance(answer, dict):
                raise NoAnswer("no JSON object")
            is_whole = "\r\nconnection: close" not in head
            return int(status[1]), answer
        finally:
            if is_whole and len(self._idle) < MOST_IDLE_CONNECTIONS:
                self._idle.append((reader, writer, time.monotonic()))
            else:
                writer.close()


class DtesnMiddleware:
    """The middleware. Each argument has its environment variable, for engines that name a middleware without arguments.

    bridge          DTESN_BRIDGE           'http://127.0.0.1:2250' (default) or 'unix:/run/dtesn/bridge.sock'
    engine          DTESN_ENGINE           the bridge's name of this engine; required in the role 'engine'
    role            DTESN_ROLE             'engine' (default) or 'router'
    token_file      DTESN_TOKEN_FILE       a file whose first line is the token
    budget          DTESN_BUDGET_SECONDS   0.05
    break_seconds   DTESN_BREAK_SECONDS    5
    session_header  DTESN_SESSION_HEADER   'x-session-id': the request header that names a session
    paths           -                      paths of requests for completions
    """

    def __init__(
        self,
        app: Application,
        bridge: Optional[str] = None,
        engine: Optional[str] = None,
        role: Optional[str] = None,
        token_file: Optional[str] = None,
        budget: Optional[float] = None,
        break_seconds: Optional[float] = None,
        session_header: Optional[str] = None,
        paths: Sequence[str] = COMPLETION_PATHS,
    ) -> None:
        environment = os.environ.get
        self._app = app
        self._engine = engine or environment("DTESN_ENGINE")
        self._role = role or environment("DTESN_ROLE", "engine")
        if self._role not in ("engine", "router"):
            raise ValueError(f"Expected 'engine' or 'router' for role but received {self._role!r}")
        if self._role == "engine" and not self._engine:
            raise ValueError("Expected the bridge's name of this engine for engine (DTESN_ENGINE)")
        self._session_header = (session_header or environment("DTESN_SESSION_HEADER", "x-session-id")).lower().encode()
        self._paths = frozenset(paths)
        self._bridge = BridgeQuestions(
            bridge or environment("DTESN_BRIDGE", "http://127.0.0.1:2250"),
            token_file or environment("DTESN_TOKEN_FILE"),
            float(budget if budget is not None else environment("DTESN_BUDGET_SECONDS", "0.05")),
            float(break_seconds if break_seconds is not None else environment("DTESN_BREAK_SECONDS", "5")),
        )
        self._reports: Set["asyncio.Task[Any]"] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("method") != "POST" or scope.get("path") not in self._paths:
            await self._app(scope, receive, send)
            return
        engine = self._engine
        if self._role == "router":
            picked = await self._pick(scope)
            scope = {**scope, "dtesn.pick": picked}
            engine = picked["engine"] if picked else None
        if engine is None:
            await self._app(scope, receive, send)
            return
        await self._reported(engine, scope, receive, send)

    async def drained(self) -> None:
        """Returns once the reports under way have ended, each within the budget."""
        while self._reports:
            await asyncio.gather(*self._reports, return_exceptions=True)

    async def close(self) -> None:
        await self.drained()
        await self._bridge.close()

    async def _pick(self, scope: Scope) -> Optional[Message]:
        headers = _traced(scope)
        for name in OBJECTIVE_HEADERS:
            value = _header(scope["headers"], name)
            if value is not None and VALID_OBJECTIVE.fullmatch(value):
                headers[name.decode()] = value
        answer = await self._bridge.ask("/v1/pick", self._session(scope), headers)
        return answer if answer is not None and isinstance(answer.get("engine"), str) else None

    def _session(self, scope: Scope) -> Message:
        session = _header(scope["headers"], self._session_header)
        return {"session": session[:256]} if session else {}

    async def _reported(self, engine: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = _Request(self._report, engine, self._session(scope), _traced(scope))
        headers = list(scope["headers"])
        asks_for_load = _header(headers, LOAD_FORMAT_HEADER) is None
        if asks_for_load:
            headers.append((LOAD_FORMAT_HEADER, b"json"))

        async def receive_and_see() -> Message:
            message = await receive()
            if message["type"] == "http.disconnect":
                request.left = True
            return message

        async def send_and_see(message: Message) -> None:
            if message["type"] == "http.response.start":
                request.started(message)
                if asks_for_load:  # the client did not ask for it
                    kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() != LOAD_HEADER]
                    message = {**message, "headers": kept}
            elif message["type"] == "http.response.body":
                if message.get("body"):
                    request.first_part()
                if not message.get("more_body"):
                    request.whole = True
            await send(message)

        try:
            await self._app({**scope, "headers": headers}, receive_and_see, send_and_see)
        except asyncio.CancelledError:
            request.finish("aborted")
            raise
        except BaseException:
            request.finish("aborted" if request.left else "error")
            raise
        request.finish(request.outcome())

    def _report(
        self, before: Optional["asyncio.Task[Any]"], path: str, message: Message, headers: Dict[str, str]
    ) -> Optional["asyncio.Task[Any]"]:
        """Sends a report after the one before it of the same request, beside the request."""
        if len(self._reports) >= MOST_PENDING_REPORTS:
            return before

        async def report() -> None:
            if before is not None:
                await asyncio.wait([before])
            await self._bridge.ask(path, message, headers)

        task = asyncio.get_running_loop().create_task(report())
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)
        return task


class _Request:
    """What is known of one request of an engine, and its reports in their order."""

    def __init__(self, report: Callable[..., Any], engine: str, session: Message, headers: Dict[str, str]) -> None:
        self._report = report
        self._headers = headers
        self._ticket = str(uuid.uuid4())
        self._status = 0
        self._load: Optional[str] = None
        self._has_first = False
        self.left = False
        self.whole = False
        self._last = report(None, "/v1/dispatch", {"engine": engine, "ticket": self._ticket, **session}, headers)

    def started(self, message: Message) -> None:
        self._status = message["status"]
        load = _header(message.get("headers", ()), LOAD_HEADER)
        self._load = load[:4096] if load else None

    def first_part(self) -> None:
        if self._has_first or self._status >= 400:
            return
        self._has_first = True
        self._last = self._report(self._last, "/v1/first-token", {"ticket": self._ticket}, self._headers)

    def outcome(self) -> str:
        if not self.whole:
            return "aborted" if self.left else "error"
        return "ok" if self._status < 400 else "error"

    def finish(self, outcome: str) -> None:
        message = {"ticket": self._ticket, "outcome": outcome}
        if self._load is not None:
            message["orca"] = self._load
        self._last = self._report(self._last, "/v1/finish", message, self._headers)


def _traced(scope: Scope) -> Dict[str, str]:
    trace = _header(scope["headers"], TRACE_HEADER)
    return {"traceparent": trace} if trace is not None and VALID_TRACE.fullmatch(trace) else {}


def _header(headers: Any, name: bytes) -> Optional[str]:
    for key, value in headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None
