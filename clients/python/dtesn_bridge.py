"""A client of the dtesn bridge: one file, the standard library alone, Python 3.9 or later.

    from dtesn_bridge import BridgeClient

    with BridgeClient("http://127.0.0.1:2250") as bridge:       # or "unix:/run/dtesn/bridge.sock"
        picked = bridge.pick(prompt_tokens=812)                 # None: go on with your own choice
        result = bridge.process(text="a prompt")
        session = bridge.session(id="sensor-7")
        answer = session.steps([[0.1, 0.2], [0.3, 0.4]])

On the path of an engine's request (admit, pick, dispatch, first_token, finish) it fails open: no failure of the bridge is raised, no
call takes longer than `budget` seconds, and after 3 failures in a row nothing is asked for `break_seconds`. All else raises
BridgeError, or OSError where the token file cannot be read. A session survives a restart of the bridge. A client may be used by
several threads; calls of one session run one after the other.
"""

from __future__ import annotations

import http.client
import io
import json
import math
import random
import re
import socket
import ssl
import sys
import threading
import time
import uuid
from array import array
from concurrent.futures import Future, TimeoutError as FutureTimeout
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import quote, urlsplit

__all__ = ["BridgeClient", "BridgeError", "BridgeSession", "Event"]

Json = Dict[str, Any]
Rows = Sequence[Sequence[float]]

FAILURES_BEFORE_BREAK = 3
MOST_IDLE_CONNECTIONS = 16
IDLE_SECONDS = 60.0  # the bridge drops an idle connection after 75 s
PORTION_NUMBERS = 32_768  # of rows and targets in a request: 1 MiB of JSON holds them at 25 characters each
POLL_SECONDS = 0.05
EVENTS_IDLE_SECONDS = 45.0  # three of the bridge's comments
MOST_ANSWER_BYTES = 256 * 1024 * 1024

PASSING = frozenset(
    "unreachable starting draining queue_full queue_age client_share memory too_many_streams too_many_attempts".split()
)
ENDING = frozenset("session_epoch session_unknown session_gone network_changed rows_lost other_writer".split())
REFUSALS = frozenset((400, 401, 403, 413, 415, 422))


class BridgeError(Exception):
    """What a call failed with.

    `code` is one of the bridge's, or: unreachable, timeout, bad_answer (not an answer of the bridge), rows_lost (the bridge
    needs rows that are no longer kept), other_writer (another client moved the session), buffer_full, closed.
    `status` is 0 where nothing was answered; `details` are further fields of the error, such as `next` of an offset gap.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 0,
        request_id: Optional[str] = None,
        details: Optional[Json] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code
        self.status = status
        self.request_id = request_id
        self.details = details or {}
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later: the bridge was away, starting, draining or shed it."""
        return self.code in PASSING


class Event(NamedTuple):
    """An event of the bridge: state, restart, drained, restored, anomaly, added, removed, plan, config, sessions, missed, end."""

    id: Optional[str]
    event: str
    data: Json


class _Socket:
    """A socket whose operations end at `deadline`, or `idle` seconds after each begins where there is no deadline."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline: Optional[float] = None
        self.idle = 30.0

    def _limit(self) -> None:
        left = self.idle if self.deadline is None else self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._sock.settimeout(left)

    def sendall(self, data: Any) -> None:
        self._limit()
        self._sock.sendall(data)

    def recv_into(self, buffer: Any) -> int:
        self._limit()
        return self._sock.recv_into(buffer)

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self), 65_536)

    def close(self) -> None:
        """By http.client, when an answer says that the connection ends: its body is still to be read."""

    def end(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads
        except OSError:
            pass
        self._sock.close()


class _Reader(io.RawIOBase):
    def __init__(self, sock: _Socket) -> None:
        self._of = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._of.recv_into(buffer)


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: "_Address") -> None:
        super().__init__(address.host, address.port)
        self._to = address
        self.limited: Optional[_Socket] = None
        self.used_at = time.monotonic()
        self.is_reused = False

    def open(self, seconds: float) -> None:
        to = self._to
        if to.path is not None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(seconds)
            try:
                sock.connect(to.path)
            except BaseException:
                sock.close()
                raise
        else:
            end = time.monotonic() + seconds
            sock = self._connected(end)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if to.tls is not None:
                sock.settimeout(max(0.001, end - time.monotonic()))
                sock = to.tls.wrap_socket(sock, server_hostname=to.host)
        self.limited = self.sock = _Socket(sock)  # type: ignore[assignment]

    def _connected(self, end: float) -> socket.socket:
        """A connection to the first address that takes it: each may use its share of the time that is left."""
        places = self._to.places(end - time.monotonic())
        failure: Optional[OSError] = None
        for i, (family, kind, protocol, _, place) in enumerate(places):
            sock: Optional[socket.socket] = None
            try:
                sock = socket.socket(family, kind, protocol)
                sock.settimeout(max(0.001, (end - time.monotonic()) / (len(places) - i)))
                sock.connect(place)
                return sock
            except OSError as error:
                failure = error
                if sock is not None:
                    sock.close()
        self._to.forget()
        raise failure or OSError(f"{self._to.host} has no address")

    def limit(self, deadline: Optional[float], idle: float) -> None:
        if self.limited is not None:
            self.limited.deadline, self.limited.idle = deadline, idle

    def end(self) -> None:
        if self.limited is not None:
            self.limited.end()
        self.close()


class _Address:
    def __init__(self, address: str, ca_file: Optional[str]) -> None:
        self.path: Optional[str] = None
        self.tls: Optional[ssl.SSLContext] = None
        self.host, self.port, self.label = "localhost", 80, address
        self._lock = threading.Lock()
        self._places: List[Any] = []
        self._question: Optional["Future[List[Any]]"] = None
        expected = f"Expected 'http://host:port' or 'unix:/path' for address but received {address!r}"
        if address.startswith("unix:"):
            self.path = address[len("unix:"):]
            if self.path.startswith("///"):
                self.path = self.path[2:]
            if not self.path.startswith("/"):
                raise ValueError(expected)
            return
        url = urlsplit(address)
        is_bare = url.path in ("", "/") and not url.query and "@" not in url.netloc
        if url.scheme not in ("http", "https") or not url.hostname or not is_bare:
            raise ValueError(expected)
        self.host = url.hostname
        self.port = url.port or (443 if url.scheme == "https" else 80)
        if url.scheme == "https":
            self.tls = ssl.create_default_context(cafile=ca_file)

    def places(self, seconds: float) -> List[Any]:
        """The addresses of the host, which are kept. getaddrinfo has no time limit: a thread waits for it."""
        with self._lock:
            if self._places:
                return self._places
            if self._question is None:
                self._question = Future()
                threading.Thread(target=self._resolve, args=(self._question,), daemon=True).start()
            question = self._question
        try:
            return question.result(max(0.001, seconds))
        except FutureTimeout:
            raise socket.timeout(f"the addresses of {self.host} were not found in time") from None

    def forget(self) -> None:
        """None of the addresses took a connection: the next one asks for them."""
        with self._lock:
            self._places = []

    def _resolve(self, question: "Future[List[Any]]") -> None:
        places: List[Any] = []
        failure: Optional[Exception] = None
        try:
            places = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except Exception as error:
            failure = error if isinstance(error, OSError) else OSError(str(error))
        with self._lock:
            self._places, self._question = places, None
        if failure is None:
            question.set_result(places)
        else:
            question.set_exception(failure)


class _Breaker:
    """After 3 failures in a row nothing is asked for `seconds`; then one question is, and its outcome decides."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failures = 0
        self._open_until = -math.inf
        self._lock = threading.Lock()

    def admit(self) -> bool:
        with self._lock:
            if self._failures < FAILURES_BEFORE_BREAK:
                return True
            now = time.monotonic()
            if now < self._open_until:
                return False
            self._open_until = now + self._seconds
            return True

    def ended(self, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= FAILURES_BEFORE_BREAK:
                self._open_until = time.monotonic() + self._seconds


class BridgeClient:
    """A client of one bridge.

    address         'http://127.0.0.1:2250', 'https://host:port' or 'unix:/run/dtesn/bridge.sock'
    token           sent as a bearer token; token_file: a file whose first line is it, read again when the bridge refuses it
    ca_file         certificates that are trusted in place of the default ones
    timeout         seconds of one exchange; of a stream: until its headers, and without a byte
    retries         repetitions of a call that met a bridge that was away, starting, draining or shedding
    budget          seconds of pick, dispatch, first_token and finish, after which the caller goes on without the answer
    break_seconds   how long these four are not asked after 3 failures in a row
    resume_seconds  how long a session waits for the bridge to come back
    on_failure      called as on_failure(error, name) with what these four failed with
    """

    def __init__(
        self,
        address: str,
        *,
        token: Optional[str] = None,
        token_file: Optional[str] = None,
        ca_file: Optional[str] = None,
        timeout: float = 30.0,
        retries: int = 2,
        budget: float = 0.05,
        break_seconds: float = 5.0,
        resume_seconds: float = 60.0,
        on_failure: Optional[Callable[[BaseException, str], None]] = None,
    ) -> None:
        if token is not None and token_file is not None:
            raise ValueError("Expected one of token and token_file")
        seconds = {"timeout": timeout, "budget": budget, "break_seconds": break_seconds, "resume_seconds": resume_seconds}
        for name, value in seconds.items():
            if not (isinstance(value, (int, float)) and 0 < value < math.inf):
                raise ValueError(f"Expected a finite number of seconds above 0 for {name} but received {value!r}")
        if not (isinstance(retries, int) and retries >= 0):
            raise ValueError(f"Expected a whole number, 0 or more, for retries but received {retries!r}")
        self._address = _Address(address, ca_file)
        self._token, self._token_file = token, token_file
        self._timeout, self._retries, self._budget, self.resume_seconds = timeout, retries, budget, resume_seconds
        self._on_failure = on_failure
        self._breaker = _Breaker(break_seconds)
        self._lock = threading.Lock()
        self._idle: List[_Connection] = []
        self._busy: set = set()
        self._closed = False

    def __enter__(self) -> "BridgeClient":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Ends what is under way and the connections. Sessions stay at the bridge."""
        with self._lock:
            self._closed = True
            connections = [*self._idle, *self._busy]
            self._idle.clear()
        for connection in connections:
            connection.end()

    # Questions

    def context(self) -> Json:
        """The engine context: five sources, the aggregation, the plan explained."""
        return self._json("GET", "/v1/context")

    def engines(self) -> List[Json]:
        """The engines with their states, since when, and the evidence."""
        return self._json("GET", "/v1/engines")["items"]

    def process(
        self,
        *,
        text: Optional[str] = None,
        tokens: Optional[Sequence[int]] = None,
        series: Union[Sequence[Any], "array[float]", None] = None,
        features: Optional[int] = None,
        priority: Optional[str] = None,
        budget_ms: Optional[int] = None,
        traceparent: Optional[str] = None,
    ) -> Json:
        """The result of one input: a text, token ids, or a series.

        A series of `array('f')` or `array('d')` with `features` numbers a row is sent as it lies in memory.
        """
        path = "/v1/process" if priority is None else f"/v1/process?priority={quote(priority)}"
        headers = _traced(traceparent)
        if budget_ms is not None:
            headers["x-dtesn-budget-ms"] = str(budget_ms)
        if isinstance(series, array):
            frame, fields = _frame(series, features)
            return self._json("POST", path, data=frame, headers={**headers, **fields})
        return self._json("POST", path, _input(text, tokens, series), headers=headers)

    def process_batch(
        self, inputs: Sequence[Json], *, priority: Optional[str] = None, traceparent: Optional[str] = None
    ) -> List[Json]:
        """The results of up to 100 inputs ({'text': ...} and so on) in their order.

        Each is {'ok': True, 'result'} or {'ok': False, 'error'}.
        """
        path = "/v1/process/batch" if priority is None else f"/v1/process/batch?priority={quote(priority)}"
        return self._json("POST", path, {"inputs": list(inputs)}, headers=_traced(traceparent))["items"]

    def predict(self, model: str, rows: Sequence[Sequence[float]]) -> List[List[float]]:
        """Outputs of a saved model of the bridge for rows, from rest, in the units of the data."""
        return self._json("POST", f"/v1/models/{quote(model, safe='')}/predict", {"rows": rows})["outputs"]

    def forecast(self, model: str, rows: Sequence[Sequence[float]], steps: int) -> List[List[float]]:
        """The `steps` rows that a saved model of the bridge expects after rows."""
        path = f"/v1/models/{quote(model, safe='')}/forecast"
        return self._json("POST", path, {"rows": rows, "steps": steps})["outputs"]

    def process_stream(
        self,
        *,
        text: Optional[str] = None,
        tokens: Optional[Sequence[int]] = None,
        series: Optional[Sequence[Any]] = None,
        chunk: Optional[int] = None,
        traceparent: Optional[str] = None,
    ) -> Iterator[Event]:
        """Chunk after chunk of a long input, at the pace in which they are read; the last event is the summary.

        Leaving the loop ends the work at the bridge.
        """
        message = _input(text, tokens, series)
        if chunk is not None:
            message["chunk"] = chunk
        what = "POST /v1/process/stream"
        for event in self._events("POST", "/v1/process/stream", message, _traced(traceparent), self._timeout):
            if event.data is None:
                continue
            data = _object(what, event.data)
            if event.event == "error":
                code = str(data.pop("code", "internal"))
                raise BridgeError(code, f"{what}: {data.pop('message', '')}", 200, details=data)
            if event.event in ("chunk", "summary"):
                yield Event(event.id, event.event, data)
            if event.event == "summary":
                return
        raise BridgeError("unreachable", f"{what}: the answer ended before its summary")

    def events(self, last_event_id: Optional[str] = None) -> Iterator[Event]:
        """What changes, for as long as it is read: a broken connection is made again with the id of the last event.

        `missed` says that events are lost; after `end` the bridge ends the connection. close() of the client ends the events.
        """
        last, retry, failures = last_event_id, 3.0, 0
        while True:
            headers = {} if last is None else {"last-event-id": last}
            try:
                for message in self._events("GET", "/v1/events", None, headers, EVENTS_IDLE_SECONDS):
                    failures = 0
                    retry = retry if message.retry is None else message.retry
                    last = last if message.id is None else message.id
                    if message.data is not None:
                        yield Event(message.id, message.event, _object("GET /v1/events", message.data))
            except BridgeError as error:
                if not error.passing and error.code != "timeout":
                    raise
                failures += 1
            self._pause(min(60.0, retry * 2.0 ** max(0, failures - 1)))

    def session(
        self,
        id: Optional[str] = None,
        *,
        network: Optional[str] = None,
        targets: Optional[Json] = None,
        outputs: Optional[Sequence[int]] = None,
        max_kept_rows: int = 100_000,
    ) -> "BridgeSession":
        """Opens a session: a new one, or the one of this id where it left off.

        targets: {'outputs': columns, 'ridge': ..., 'forgetting': ...} where the session learns. outputs: the columns of the
        outputs that are answered. max_kept_rows: rows kept to be sent again until they are durable; there `steps` waits.
        """
        message: Json = {"id": id if id is not None else f"py-{uuid.uuid4()}"}
        for name, value in (("network", network), ("targets", targets), ("outputs", outputs)):
            if value is not None:
                message[name] = value
        opened = self._json("POST", "/v1/sessions", message)
        session = BridgeSession(self, opened, max_kept_rows)
        session._until_durable(session.offset)
        return session

    # The path of an engine's request: nothing here raises what the bridge fails with. `traceparent` is that of the request (W3C)

    def pick(
        self,
        *,
        session: Optional[str] = None,
        prompt_tokens: Optional[int] = None,
        slo_ttft_ms: Optional[float] = None,
        slo_tpot_ms: Optional[float] = None,
        traceparent: Optional[str] = None,
    ) -> Optional[Json]:
        """The engine for the next request with the reason, or None: go on with your own choice.

        slo_ttft_ms, slo_tpot_ms: objectives for the milliseconds to the first token and between two tokens.
        """
        message = _given(session=session, promptTokens=prompt_tokens, sloTtftMs=slo_ttft_ms, sloTpotMs=slo_tpot_ms)
        answer = self._failing_open("pick", "/v1/pick", message, traceparent)
        return answer if answer is not None and isinstance(answer.get("engine"), str) else None

    def admit(
        self,
        prompt_tokens: int,
        ttft_slo_ms: float,
        *,
        margin: Optional[float] = None,
        priority: Optional[int] = None,
        session: Optional[str] = None,
        traceparent: Optional[str] = None,
    ) -> Optional[Json]:
        """Whether a request is taken, or None: go on as if it were.

        {"admitted": True, "engine", "url", "ttft", "withheld"}, or {"admitted": False, "retryAfterMs", "reason"}.
        ttft_slo_ms: milliseconds within which its first token shall come; priority below 0: sheddable work.
        """
        asked = {"promptTokens": prompt_tokens, "ttftSloMs": ttft_slo_ms}
        message = {**asked, **_given(margin=margin, priority=priority, session=session)}
        answer = self._failing_open("admit", "/v1/admit", message, traceparent)
        return answer if answer is not None and isinstance(answer.get("admitted"), bool) else None

    def dispatch(
        self,
        engine: str,
        *,
        prompt_tokens: Optional[int] = None,
        session: Optional[str] = None,
        ticket: Optional[str] = None,
        traceparent: Optional[str] = None,
    ) -> str:
        """Says that a request was sent to an engine; the ticket for first_token and finish, also where the bridge is down."""
        ticket = ticket or str(uuid.uuid4())
        message = _given(engine=engine, promptTokens=prompt_tokens, session=session, ticket=ticket)
        self._failing_open("dispatch", "/v1/dispatch", message, traceparent)
        return ticket

    def first_token(self, ticket: str, *, traceparent: Optional[str] = None) -> bool:
        """Says that the first token of a request came; whether the bridge knows the ticket."""
        answer = self._failing_open("first_token", "/v1/first-token", {"ticket": ticket}, traceparent)
        return bool(answer and answer.get("known"))

    def finish(
        self,
        ticket: str,
        outcome: str = "ok",
        *,
        generated_tokens: Optional[int] = None,
        orca: Union[str, Json, None] = None,
        traceparent: Optional[str] = None,
    ) -> bool:
        """Says how a request ended ('ok', 'error', 'aborted'), with the engine's header endpoint-load-metrics as `orca`."""
        message = _given(ticket=ticket, outcome=outcome, generatedTokens=generated_tokens, orca=orca)
        answer = self._failing_open("finish", "/v1/finish", message, traceparent)
        return bool(answer and answer.get("known"))

    # HTTP

    def _failing_open(self, name: str, path: str, message: Json, traceparent: Optional[str]) -> Optional[Json]:
        if not self._breaker.admit():
            return None
        failed = True
        try:
            headers = _traced(traceparent)
            answer = self._json("POST", path, message, headers=headers, timeout=self._budget, retries=0)
            failed = False
            return answer
        except Exception as error:  # fail open: whatever it is, the caller's request goes on
            if isinstance(error, BridgeError):
                failed = error.code != "no_engine" and not 0 < error.status < 500
            if self._on_failure is not None:
                try:
                    self._on_failure(error, name)
                except Exception as thrown:
                    print(f"on_failure of BridgeClient raised {thrown!r}", file=sys.stderr)
            return None
        finally:
            self._breaker.ended(failed)

    def _json(
        self,
        method: str,
        path: str,
        message: Optional[Json] = None,
        *,
        data: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> Json:
        most = self._retries if retries is None else retries
        attempt = 0
        while True:
            try:
                body = self._exchange(method, path, message, data, headers or {}, timeout or self._timeout)
                return _object(f"{method} {path.split('?')[0]}", body.decode("utf-8", "replace"))
            except BridgeError as error:
                if attempt >= most or not error.passing:
                    raise
                self._pause(_delay(error, attempt))
                attempt += 1

    def _exchange(
        self, method: str, path: str, message: Optional[Json], data: Optional[bytes], headers: Dict[str, str], seconds: float
    ) -> bytes:
        deadline = time.monotonic() + seconds
        connection, response = self._opened(method, path, message, data, headers, deadline, seconds)
        try:
            body = response.read(MOST_ANSWER_BYTES)
            if not response.isclosed():
                raise BridgeError("bad_answer", f"{method} {path}: the answer is longer than {MOST_ANSWER_BYTES} bytes")
        except (OSError, http.client.HTTPException) as error:
            self._drop(connection)
            raise self._failure(method, path, error) from error
        except BaseException:
            self._drop(connection)
            raise
        self._keep(connection, response)
        if 200 <= response.status < 300:
            return body
        raise _error_of(f"{method} {path.split('?')[0]}", response, body)

    def _events(
        self, method: str, path: str, message: Optional[Json], headers: Dict[str, str], idle: float
    ) -> Iterator["_Message"]:
        deadline = time.monotonic() + self._timeout
        fields = {"accept": "text/event-stream", **headers}
        connection, response = self._opened(method, path, message, None, fields, deadline, self._timeout)
        try:
            if response.status != 200:
                raise _error_of(f"{method} {path}", response, response.read(65_536))
            connection.limit(None, idle)
            yield from _messages(response)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._failure(method, path, error) from error
        finally:
            self._drop(connection)

    def _opened(
        self,
        method: str,
        path: str,
        message: Optional[Json],
        data: Optional[bytes],
        headers: Dict[str, str],
        deadline: float,
        seconds: float,
    ) -> Tuple[_Connection, http.client.HTTPResponse]:
        """The headers of an answer. A 401 is asked once more where the token file holds another token by now."""
        token = self._read_token()
        body = data if message is None else json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
        fields = {"accept": "application/json", **headers}
        if body is not None:
            fields["content-type"] = "application/json" if message is not None else "application/octet-stream"
        if token is not None:
            fields["authorization"] = f"Bearer {token}"
        connection, response = self._ask(method, path, body, fields, deadline, seconds)
        if response.status != 401 or self._token_file is None:
            return connection, response
        self._token = None
        renewed = self._read_token()
        if renewed == token:
            return connection, response
        self._drop(connection)
        return self._ask(method, path, body, {**fields, "authorization": f"Bearer {renewed}"}, deadline, seconds)

    def _ask(
        self, method: str, path: str, body: Optional[bytes], headers: Dict[str, str], deadline: float, seconds: float
    ) -> Tuple[_Connection, http.client.HTTPResponse]:
        while True:
            connection = self._taken()
            try:
                if connection.sock is None:
                    connection.open(max(0.001, deadline - time.monotonic()))
                with self._lock:
                    self._busy.add(connection)
                    if self._closed:
                        raise BridgeError("closed", "The client is closed")
                connection.limit(deadline, seconds)
                connection.request(method, path, body, headers)
                return connection, connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self._drop(connection)
                # The bridge had closed a kept connection: every call of this client may be repeated.
                if connection.is_reused and not isinstance(error, socket.timeout) and not self._closed:
                    continue
                raise self._failure(method, path, error) from error
            except BaseException:
                self._drop(connection)
                raise

    def _failure(self, method: str, path: str, error: BaseException) -> BridgeError:
        what = f"{method} {path.split('?')[0]}"
        if self._closed:
            return BridgeError("closed", "The client is closed")
        if isinstance(error, socket.timeout):
            return BridgeError("timeout", f"{what}: no answer from {self._address.label} in time")
        return BridgeError("unreachable", f"{what}: {self._address.label}: {error or type(error).__name__}")

    def _taken(self) -> _Connection:
        with self._lock:
            if self._closed:
                raise BridgeError("closed", "The client is closed")
            while self._idle:
                connection = self._idle.pop()
                if time.monotonic() - connection.used_at < IDLE_SECONDS:
                    connection.is_reused = True
                    return connection
                connection.end()
        return _Connection(self._address)

    def _keep(self, connection: _Connection, response: http.client.HTTPResponse) -> None:
        with self._lock:
            self._busy.discard(connection)
            connection.used_at = time.monotonic()
            if connection.sock is not None and not response.will_close and not self._closed:
                if len(self._idle) < MOST_IDLE_CONNECTIONS:
                    self._idle.append(connection)
                    return
        connection.end()

    def _drop(self, connection: _Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
        connection.end()

    def _read_token(self) -> Optional[str]:
        if self._token is None and self._token_file is not None:
            with open(self._token_file, encoding="utf-8") as file:
                self._token = file.readline().strip()
        return self._token

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._closed and time.monotonic() < end:
            time.sleep(max(0.0, min(0.1, end - time.monotonic())))
        if self._closed:
            raise BridgeError("closed", "The client is closed")


class BridgeSession:
    """One session of the bridge, which survives a restart of the bridge.

    offset   rows that the bridge has applied        durable   rows that survive kill -9 and a power failure
    next     number of the row that steps() takes next

    Rows from `durable` on are kept here. When the connection breaks, the bridge drains or starts, or its offset moved back, the
    session sends again from the bridge's offset; what was applied is skipped. After `resume_seconds` without progress the call
    fails; its rows stay kept, and the next call sends them first. What the bridge refuses as malformed or impossible is not kept.
    """

    def __init__(self, client: BridgeClient, opened: Json, max_kept_rows: int) -> None:
        if not (isinstance(max_kept_rows, int) and max_kept_rows >= 1):
            raise ValueError(f"Expected a whole number, 1 or more, for max_kept_rows but received {max_kept_rows!r}")
        self.id: str = opened["id"]
        self.epoch: str = opened["epoch"]
        self.offset: int = opened["offset"]
        self.durable: int = opened["durable"]
        self.durability: Optional[str] = opened.get("durability")
        self._client = client
        self._max_kept_rows = max_kept_rows
        self._base = self.offset
        self._most_rows = sys.maxsize  # of a request: the bridge refuses more for the size of their outputs
        self._kept: List[Tuple[List[float], Optional[List[float]]]] = []
        self._ended: Optional[BridgeError] = None
        self._lock = threading.RLock()

    def __enter__(self) -> "BridgeSession":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    @property
    def next(self) -> int:
        """Number of the row that steps() takes next."""
        return self._base + len(self._kept)

    @property
    def kept(self) -> int:
        """Rows kept to be sent again."""
        return len(self._kept)

    def steps(self, rows: Rows, targets: Optional[Rows] = None, *, durable: bool = False) -> Json:
        """Applies rows in order: {'offset', 'durable', 'outputsFrom', 'outputs'}; durable: answers once they survive power loss."""
        given = _rows(rows, "rows")
        aims = None if targets is None else _rows(targets, "targets")
        if aims is not None and len(aims) != len(given):
            raise ValueError(f"Expected {len(given)} rows of targets but received {len(aims)}")
        if len(given) > self._max_kept_rows:
            raise ValueError(f"Expected at most {self._max_kept_rows} rows (max_kept_rows) but received {len(given)}")
        with self._turn():
            self._make_room(len(given))
            first = self.next
            self._kept.extend((row, None if aims is None else aims[i]) for i, row in enumerate(given))
            try:
                return self._send(first, durable)
            except BridgeError as error:
                if error.status in REFUSALS:
                    del self._kept[max(first, self.offset) - self._base:]
                raise

    def flush(self) -> None:
        """Sends what is still kept unsent, and returns once every row that was given is durable."""
        with self._turn():
            if self.offset < self.next:
                self._send(self.next, False)
            self._until_durable(self.next)

    def readout(self) -> Json:
        """What the session has learned: weights, bias, its running error beside that of persistence."""
        return self._client._json("GET", f"{self._path}/readout")

    def close(self) -> None:
        """Deletes the session at the bridge. One that is to be continued later is not closed."""
        with self._lock:
            if self._ended is not None and self._ended.code == "closed":
                return
            try:
                self._client._json("DELETE", self._path)
            except BridgeError as error:
                if error.status not in (404, 410):
                    raise
            self._ended = BridgeError("closed", f"The session {self.id} is closed")

    @property
    def _path(self) -> str:
        return f"/v1/sessions/{quote(self.id, safe='')}"

    def _turn(self) -> "_Turn":
        return _Turn(self)

    def _send(self, first: int, durable: bool) -> Json:
        outputs: Dict[int, List[float]] = {}
        answer: Optional[Json] = None
        since, attempt = time.monotonic(), 0
        while answer is None or self.offset < self.next:
            start = self.offset
            end = self._portion_end(start)
            try:
                answer = self._send_portion(start, end, durable and end == self.next)
            except BridgeError as error:
                if self._takes_fewer(error, end - start):
                    continue
                self._recover(error, since, attempt)
                attempt += 1
                answer = None
                continue
            for i, row in enumerate(answer["outputs"]):
                outputs[answer["outputsFrom"] + i] = row
            since, attempt = time.monotonic(), 0
        end = outputs_from = self.next
        while outputs_from > first and outputs_from - 1 in outputs:
            outputs_from -= 1
        self._forget()
        wanted = [outputs[number] for number in range(outputs_from, end)]
        return {**answer, "offset": self.offset, "durable": self.durable, "outputsFrom": outputs_from, "outputs": wanted}

    def _send_portion(self, start: int, end: int, durable: bool) -> Json:
        part = self._kept[start - self._base:end - self._base]
        message: Json = {"from": start, "rows": [row for row, _ in part], "epoch": self.epoch}
        if part and part[0][1] is not None:
            message["targets"] = [target for _, target in part]
        path = f"{self._path}/steps?ack=durable" if durable else f"{self._path}/steps"
        answer = self._client._json("POST", path, message, retries=0)
        if answer["offset"] > end:
            raise self._other_writer(answer["offset"], end)
        self.offset = answer["offset"]
        self._take(answer)
        return answer

    def _takes_fewer(self, error: BridgeError, rows: int) -> bool:
        """Whether the outputs of so many rows were too many for one answer; the next requests have fewer."""
        most = error.details.get("rows") if error.code == "impossible" else None
        is_fewer = isinstance(most, int) and 1 <= most < rows
        if is_fewer:
            self._most_rows = most
        return is_fewer

    def _recover(self, error: BridgeError, since: float, attempt: int) -> None:
        if error.code == "offset_gap":
            return self._go_back_to(error.details.get("next"))
        if not error.passing and error.code != "timeout":
            raise error
        if time.monotonic() - since >= self._client.resume_seconds:
            raise error
        self._client._pause(_delay(error, attempt))
        try:
            place = self._place()
        except BridgeError as failure:
            if failure.passing or failure.code == "timeout":
                return None
            raise
        if place["offset"] > self.next:
            raise self._other_writer(place["offset"], self.next)
        if place["offset"] < self.offset:
            self._go_back_to(place["offset"])
        return None

    def _go_back_to(self, offset: Any) -> None:
        if not isinstance(offset, int) or not self._base <= offset <= self.next:
            message = f"The session {self.id} stands at row {offset}; rows {self._base} to {self.next} are kept here"
            raise BridgeError("rows_lost", message, details={"next": offset})
        self.offset = offset

    def _place(self) -> Json:
        place = self._client._json("GET", self._path, retries=0)
        if place["epoch"] != self.epoch:
            raise BridgeError("session_epoch", f"The session {self.id} was created again by another client")
        self._take(place)
        return place

    def _take(self, place: Json) -> None:
        self.durable = place["durable"]
        self.durability = place.get("durability")

    def _forget(self) -> None:
        number = self.offset if self.durability == "none" else min(self.durable, self.offset)
        count = max(0, number - self._base)
        del self._kept[:count]
        self._base += count

    def _make_room(self, rows: int) -> None:
        if len(self._kept) + rows <= self._max_kept_rows:
            return
        if self.offset < self.next:
            self._send(self.next, False)
        self._until_durable(self.next + rows - self._max_kept_rows)
        if len(self._kept) + rows > self._max_kept_rows:
            message = f"The session {self.id} keeps {len(self._kept)} rows that the bridge has not made durable"
            raise BridgeError("buffer_full", message)

    def _until_durable(self, row: int) -> None:
        end = time.monotonic() + self._client._timeout
        since, attempt = time.monotonic(), 0
        while self.durable < row and self.durability != "none":
            if time.monotonic() >= end:
                raise BridgeError("timeout", f"Rows up to {row} of session {self.id} did not become durable in time")
            self._client._pause(POLL_SECONDS)
            try:
                place = self._place()
                if place["offset"] < self.offset:
                    self._go_back_to(place["offset"])
                since, attempt = time.monotonic(), 0
            except BridgeError as error:
                self._recover(error, since, attempt)
                attempt += 1
                end = time.monotonic() + self._client._timeout
            if self.offset < self.next:
                self._send(self.next, False)
        self._forget()

    def _portion_end(self, start: int) -> int:
        taken = 0
        last = min(len(self._kept), start - self._base + self._most_rows)
        for at in range(start - self._base, last):
            row, target = self._kept[at]
            taken += len(row) + len(target or ())
            has_target = self._kept[start - self._base][1] is not None
            if at > start - self._base and (taken > PORTION_NUMBERS or (target is not None) != has_target):
                return self._base + at
        return self._base + last

    def _other_writer(self, offset: int, expected: int) -> BridgeError:
        message = f"The session {self.id} stands at row {offset}, after the last row sent from here, {expected}"
        return BridgeError("other_writer", message)


class _Turn:
    """A session in use by one thread; an error that ends the session is kept for each later call."""

    def __init__(self, session: BridgeSession) -> None:
        self._of = session

    def __enter__(self) -> None:
        self._of._lock.acquire()
        if self._of._ended is not None:
            self._of._lock.release()
            raise self._of._ended

    def __exit__(self, _: Any, error: Any, __: Any) -> None:
        if isinstance(error, BridgeError) and error.code in ENDING:
            self._of._ended = error
        self._of._lock.release()


class _Message(NamedTuple):
    id: Optional[str]
    event: str
    data: Optional[str]
    retry: Optional[float]


def _messages(response: http.client.HTTPResponse) -> Iterator[_Message]:
    """Server-sent events (WHATWG HTML 9.2.6) with lines that end in LF or CRLF; one without a blank line after it is dropped."""
    fields: List[Tuple[str, str]] = []
    for line in iter(response.readline, b""):
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            fields.append((name, value[1:] if value.startswith(" ") else value))
        elif fields:
            last = dict(fields)
            data = [value for name, value in fields if name == "data"]
            retry = last.get("retry", "")
            yield _Message(
                last.get("id"),
                last.get("event", "message"),
                "\n".join(data) if data else None,
                int(retry) / 1000 if re.fullmatch("[0-9]+", retry) else None,
            )
            fields = []


def _error_of(what: str, response: http.client.HTTPResponse, body: bytes) -> BridgeError:
    request_id = response.getheader("x-request-id")
    try:
        error = json.loads(body)["error"]
        code, message = str(error.pop("code")), str(error.pop("message"))
    except (ValueError, KeyError, TypeError, AttributeError):
        message = f"{what}: status {response.status} without an error of the bridge"
        return BridgeError("bad_answer", message, response.status, request_id)
    after = response.getheader("retry-after", "")
    retry_after = float(after) if re.fullmatch("[0-9]{1,9}", after) else None
    return BridgeError(code, f"{what}: {message}", response.status, request_id, error, retry_after)


def _object(what: str, text: str) -> Json:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BridgeError("bad_answer", f"{what}: the answer is not what the bridge answers")
    return value


def _delay(error: BridgeError, attempt: int) -> float:
    if error.retry_after is not None:
        return error.retry_after
    return min(5.0, 0.1 * 2.0**min(attempt, 10)) * random.uniform(0.5, 1.0)


def _given(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _input(text: Optional[str], tokens: Optional[Sequence[int]], series: Optional[Sequence[Any]]) -> Json:
    message = _given(text=text, tokens=tokens, series=series)
    if len(message) != 1:
        raise ValueError("Expected one of text, tokens and series")
    return message


def _rows(rows: Iterable[Sequence[float]], name: str) -> List[List[float]]:
    copied = [[float(value) for value in row] for row in rows]
    for i, row in enumerate(copied):
        for value in row:
            if not math.isfinite(value):
                raise ValueError(f"Expected finite numbers for {name}[{i}] but received {value!r}")
    return copied


def _traced(traceparent: Optional[str]) -> Dict[str, str]:
    return {} if traceparent is None else {"traceparent": traceparent}


def _frame(values: "array[float]", features: Optional[int]) -> Tuple[bytes, Dict[str, str]]:
    if values.typecode not in "fd":
        raise ValueError(f"Expected array('f') or array('d') for series but received array({values.typecode!r})")
    if not features or features < 1 or len(values) % features:
        raise ValueError(f"Expected a number of features that divides {len(values)} but received {features!r}")
    if sys.byteorder != "little":
        values = array(values.typecode, values)
        values.byteswap()
    dtype = "f32" if values.typecode == "f" else "f64"
    return values.tobytes(), {"x-dtesn-dtype": dtype, "x-dtesn-shape": f"{len(values) // features},{features}"}
