"""The Python client against the running bridge. DTESN_TEST_BRIDGE is the command as JSON; the tests kill and restart it."""

import asyncio
import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from array import array
from unittest import mock

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(root, "clients/python"))
from asgi_middleware import DtesnMiddleware  # noqa: E402
from dtesn_bridge import BridgeClient, BridgeError  # noqa: E402

command = json.loads(os.environ["DTESN_TEST_BRIDGE"])
columns = [0, 1023]


class Bridge:
    """A bridge in a process of its own, that starts again on the same port and state-dir."""

    def __init__(self, with_state=True):
        self.folder = tempfile.mkdtemp(prefix="dtesn-py-")
        self.socket = os.path.join(self.folder, "b.sock")
        self.port = 0
        self.state = ["--state-dir", os.path.join(self.folder, "state")] if with_state else []
        if with_state:
            os.mkdir(self.state[1], 0o700)
        self.start()

    def start(self):
        listen = ["--listen", f"127.0.0.1:{self.port}", "--listen", f"unix:{self.socket}"]
        if os.path.exists(self.socket):
            os.unlink(self.socket)
        self.process = subprocess.Popen([*command, *listen, *self.state], stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(2)]
        address = next(re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in lines if "http://" in line)
        self.address, self.port = address[0], int(address[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def end(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class Server:
    """Answers each connection by a function of one test: serve(connection, request, number)."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.requests = []
        self.held = []

        def run():
            while True:
                try:
                    connection, _ = self.listener.accept()
                except OSError:
                    return
                connection.settimeout(10)
                request = b""
                while b"\r\n\r\n" not in request:
                    part = connection.recv(65536)
                    if not part:
                        break
                    request += part
                self.requests.append(request.decode())
                if serve(connection, self.requests[-1], len(self.requests)) == "held":
                    self.held.append(connection)
                else:
                    connection.close()

        threading.Thread(target=run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in (self.listener, *self.held):
            connection.close()


def answer(connection, status, body, headers=""):
    text = json.dumps(body)
    connection.sendall(
        f"HTTP/1.1 {status} x\r\nx-request-id: r-1\r\n{headers}content-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode()
    )


def error(code, **details):
    return {"error": {**details, "code": code, "message": "said so"}}


def rows(first, count):
    """Of the default network, which takes 16 numbers."""
    return [[math.sin(first + i + j) for j in range(16)] for i in range(count)]


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bridge = Bridge()

    @classmethod
    def tearDownClass(cls):
        cls.bridge.end()

    def test_over_tcp_and_a_unix_socket_it_reads_and_processes(self):
        for address in (self.bridge.address, f"unix:{self.bridge.socket}"):
            with BridgeClient(address) as client:
                self.assertEqual(len(client.engines()), 1)
                self.assertIsInstance(client.context()["engine_available"], bool)
                self.assertEqual(client.process(tokens=[1, 2, 3, 4, 5], priority="high", budget_ms=5000)["input"]["steps"], 5)
                self.assertEqual(client.process(text="hello")["input"]["kind"], "tokens")
                self.assertEqual(client.process(series=rows(0, 3))["input"]["steps"], 3)
                self.assertEqual(client.process(series=array("f", [0.5] * 8 * 16), features=16)["input"]["steps"], 8)

    def test_a_batch_keeps_its_order_and_one_failure_is_one_entry(self):
        with BridgeClient(self.bridge.address) as client:
            items = client.process_batch([{"tokens": [1, 2]}, {"text": ""}, {"tokens": [1, 2, 3]}])
            self.assertEqual([item["ok"] for item in items], [True, False, True])
            self.assertEqual(items[2]["result"]["input"]["steps"], 3)

    def test_a_refusal_is_an_error_with_status_code_and_request_id(self):
        with BridgeClient(self.bridge.address) as client:
            with self.assertRaises(BridgeError) as caught:
                client.process(text="")
            self.assertEqual((caught.exception.status, caught.exception.code), (422, "impossible"))
            self.assertTrue(caught.exception.request_id)

    def test_a_long_text_comes_back_in_chunks(self):
        with BridgeClient(self.bridge.address) as client:
            events = [event.event for event in client.process_stream(text="x" * 100, chunk=40)]
            self.assertEqual(events, ["chunk", "chunk", "chunk", "summary"])

    def test_its_ticket_is_known_and_another_is_not(self):
        with BridgeClient(self.bridge.address, budget=5.0) as client:
            picked = client.pick(prompt_tokens=3)
            admitted = client.admit(3, 60_000, session="s", priority=1)
            self.assertEqual((admitted["admitted"], admitted["ttft"]["basis"]), (True, "metrics"))
            ticket = client.dispatch(picked["engine"], prompt_tokens=3)
            self.assertTrue(client.first_token(ticket))
            self.assertTrue(client.finish(ticket, "ok", generated_tokens=5))
            self.assertFalse(client.finish("no-ticket"))

    def test_the_middleware_reports_a_request_while_it_runs(self):
        seen = []

        async def application(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"data", "more_body": True})
            await middleware.drained()
            seen.append(client.engines()[0]["tickets"])
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def run():
            scope = {"type": "http", "method": "POST", "path": "/v1/completions", "headers": []}
            await middleware(scope, None, lambda message: asyncio.sleep(0))
            await middleware.close()

        with BridgeClient(self.bridge.address) as client:
            before = client.engines()[0]
            middleware = DtesnMiddleware(application, self.bridge.address, engine=before["name"], budget=5)
            asyncio.run(run())
            after = client.engines()[0]["tickets"]
        self.assertNotEqual(seen[0], before["tickets"])
        self.assertEqual(after, before["tickets"])

    def test_several_threads_may_use_one_client(self):
        failures = []

        def work():
            try:
                for _ in range(10):
                    assert client.process(tokens=[1, 2, 3])["input"]["steps"] == 3
            except Exception as error:
                failures.append(error)

        with BridgeClient(self.bridge.address) as client:
            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])

    def test_the_example_of_the_documentation_runs(self):
        with open(os.path.join(root, "docs/bridge-clients.md"), encoding="utf-8") as file:
            blocks = re.findall(r"^```python\n(.*?)^```$", file.read(), re.S | re.M)
        self.assertGreater(len(blocks), 0)
        for block in blocks:
            exec(block.replace("http://127.0.0.1:2250", self.bridge.address), {})


class Failures(unittest.TestCase):
    def test_nothing_is_raised_on_the_path_of_an_engine_request(self):
        servers = {
            "never answers": lambda *_: "held",
            "breaks the connection": lambda *_: None,
            "says 503": lambda connection, *_: answer(connection, 503, error("draining")),
            "answers nonsense": lambda connection, *_: answer(connection, 200, []),
            "sends a byte now and then": drip,
        }
        for name, serve in servers.items():
            with self.subTest(name), Server(serve) as server:
                failures = []
                with BridgeClient(server.address, budget=0.05, on_failure=lambda _, call: failures.append(call)) as client:
                    began = time.monotonic()
                    self.assertIsNone(client.pick())
                    self.assertIsNone(client.admit(3, 1000))
                    self.assertEqual(client.dispatch("a", ticket="t-1"), "t-1")
                    self.assertFalse(client.first_token("t-1"))
                    self.assertLess(time.monotonic() - began, 5)
                    self.assertEqual(failures, ["pick", "admit", "dispatch"])
                    asked = len(server.requests)
                    self.assertFalse(client.finish("t-1"))  # the breaker is open
                    self.assertEqual(len(server.requests), asked)
        with BridgeClient("http://127.0.0.1:9") as client:
            self.assertIsNone(client.pick())

    def test_the_breaker_tries_again_after_its_pause(self):
        def serve(connection, _, number):
            if number <= 3:
                return answer(connection, 500, error("internal"))
            return answer(connection, 200, {"engine": "a", "url": "u", "reason": "r"})

        with Server(serve) as server, BridgeClient(server.address, budget=5.0, break_seconds=0.2) as client:
            for _ in range(6):
                self.assertIsNone(client.pick())
            self.assertEqual(len(server.requests), 3)
            time.sleep(0.25)
            self.assertEqual(client.pick()["engine"], "a")

    def test_what_passes_is_repeated_and_what_does_not_is_not(self):
        def serve(connection, request, number):
            if "/v1/context" in request:
                return answer(connection, 409, error("offset_gap", next=7))
            if number < 3:
                return answer(connection, 429, error("queue_full"), "retry-after: 0\r\n")
            return answer(connection, 200, {"items": []})

        with Server(serve) as server, BridgeClient(server.address) as client:
            self.assertEqual(client.engines(), [])
            self.assertEqual(len(server.requests), 3)
            with self.assertRaises(BridgeError) as caught:
                client.context()
            self.assertEqual((caught.exception.code, caught.exception.details), ("offset_gap", {"next": 7}))
            self.assertEqual(len(server.requests), 4)

    def test_a_bridge_that_never_answers_is_a_timeout(self):
        with Server(lambda *_: "held") as server, BridgeClient(server.address, timeout=0.1) as client:
            with self.assertRaises(BridgeError) as caught:
                client.engines()
            self.assertEqual(caught.exception.code, "timeout")

    def test_a_name_that_is_not_resolved_holds_no_engine_request(self):
        resolved, left = threading.Event(), threading.Event()

        def getaddrinfo(*_, **__):
            left.wait(10)
            resolved.set()
            return []

        with mock.patch("socket.getaddrinfo", getaddrinfo), BridgeClient("http://bridge.test:9") as client:
            self.assertIsNone(client.pick())
            self.assertFalse(resolved.is_set())
            left.set()

    def test_an_address_that_does_not_answer_leaves_time_for_the_next_one(self):
        silent = socket.socket()
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)  # holds one connection that is not accepted; further ones wait
        with Server(lambda connection, *_: answer(connection, 200, {"items": []})) as server:
            places = [silent.getsockname(), ("127.0.0.1", int(server.address.rsplit(":", 1)[1]))]
            found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]
            waiting = [socket.socket() for _ in range(3)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(silent.getsockname())
            with mock.patch("socket.getaddrinfo", lambda *_, **__: found):
                with BridgeClient("http://bridge.test:9", timeout=1.0, retries=0) as client:
                    self.assertEqual(client.engines(), [])
            for one in (*waiting, silent):
                one.close()

    def test_a_token_file_is_read_again_when_its_token_is_refused(self):
        def serve(connection, request, _):
            if "Bearer second" in request:
                return answer(connection, 200, {"items": []})
            return answer(connection, 401, error("unauthorised"))

        with tempfile.NamedTemporaryFile("w") as file, Server(serve) as server:
            file.write("first\n")
            file.flush()
            with BridgeClient(server.address, token_file=file.name) as client:
                with self.assertRaises(BridgeError) as caught:
                    client.engines()
                self.assertEqual(caught.exception.status, 401)
                file.seek(0)
                file.write("second\n")
                file.flush()
                self.assertEqual(client.engines(), [])

    def test_wrong_arguments_are_named(self):
        with self.assertRaisesRegex(ValueError, "for address"):
            BridgeClient("127.0.0.1:2250")
        with self.assertRaisesRegex(ValueError, "for timeout"):
            BridgeClient("http://127.0.0.1:9", timeout=0)
        with self.assertRaisesRegex(ValueError, "one of text, tokens and series"):
            BridgeClient("http://127.0.0.1:9").process()


def drip(connection, *_):
    try:
        for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 500:
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
    except OSError:
        pass  # the client left, as it must


class Events(unittest.TestCase):
    def test_a_connection_that_ends_is_made_again_with_the_id_of_the_last_event(self):
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\nretry: 1\n\n: comment\n\n"
        parts = {
            1: 'id: b-1\r\nevent: state\r\ndata: {"n":\r\ndata: 1}\r\n\r\nid: b-2\ndata: cut',
            2: "",
            4: 'event: missed\ndata: {"reason":"restart"}\n\nid: c-1\nevent: end\ndata: {"reason":"drain"}\n\n',
        }

        def serve(connection, _, number):
            if number == 3:
                return answer(connection, 503, error("draining"))
            return connection.sendall((head + parts[number]).encode())

        with Server(serve) as server, BridgeClient(server.address) as client:
            seen = []
            for event in client.events():
                seen.append(tuple(event))
                if event.event == "end":
                    break
            self.assertEqual(
                seen,
                [
                    ("b-1", "state", {"n": 1}),
                    (None, "missed", {"reason": "restart"}),
                    ("c-1", "end", {"reason": "drain"}),
                ],
            )
            lasts = [re.search(r"last-event-id: (\S+)", request) for request in server.requests]
            self.assertEqual([last and last[1] for last in lasts], [None, "b-1", "b-1", "b-1"])

    def test_close_of_the_client_ends_the_events(self):
        bridge = Bridge()
        try:
            client = BridgeClient(bridge.address)
            timer = threading.Timer(0.3, client.close)
            timer.start()
            with self.assertRaises(BridgeError) as caught:
                next(client.events())
            self.assertEqual(caught.exception.code, "closed")
            timer.join()
        finally:
            bridge.end()


class Sessions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bridge = Bridge()

    @classmethod
    def tearDownClass(cls):
        cls.bridge.end()

    def setUp(self):
        self.client = BridgeClient(self.bridge.address)

    def tearDown(self):
        self.client.close()

    def test_a_session_goes_on_after_kill_9_with_the_outputs_of_an_undisturbed_one(self):
        undisturbed = self.client.session(outputs=columns).steps(rows(0, 300))["outputs"]
        session = self.client.session(outputs=columns)
        outputs = []
        for call in range(30):
            if call % 10 == 5:
                self.bridge.kill()
                if call == 15:
                    threading.Timer(0.3, self.bridge.start).start()
                else:
                    self.bridge.start()
            answered = session.steps(rows(10 * call, 10))
            self.assertEqual(answered["outputsFrom"], 10 * call)
            outputs += answered["outputs"]
        self.assertEqual(outputs, undisturbed)
        session.flush()
        self.assertEqual((session.offset, session.durable, session.kept), (300, 300, 0))

    def test_a_session_with_targets_learns_them(self):
        session = self.client.session(targets={"outputs": 1})
        session.steps(rows(0, 20), [row[:1] for row in rows(1, 20)])
        readout = session.readout()
        self.assertEqual((readout["learned"], len(readout["bias"])), (20, 1))
        with self.assertRaisesRegex(ValueError, "1 rows of targets"):
            session.steps(rows(20, 1), [])

    def test_a_client_that_comes_back_goes_on_where_the_session_stands(self):
        before = self.client.session("kept", outputs=columns)
        before.steps(rows(0, 10))
        after = self.client.session("kept", outputs=columns)
        self.assertEqual((after.next, after.durable, after.epoch), (10, 10, before.epoch))

    def test_rows_that_the_bridge_refuses_are_not_kept(self):
        session = self.client.session(outputs=columns)
        session.steps(rows(0, 3), durable=True)
        self.assertEqual((session.durable, session.kept), (3, 0))
        with self.assertRaises(BridgeError) as caught:
            session.steps([[1.0, 2.0, 3.0]])
        self.assertEqual(caught.exception.status, 422)
        self.assertEqual(session.steps(rows(3, 1))["offset"], 4)

    def test_a_session_that_was_created_again_is_another(self):
        session = self.client.session("again", outputs=columns)
        session.steps(rows(0, 3))
        self.client.session("again", outputs=columns).close()
        with self.client.session("again", outputs=columns):
            for _ in range(2):
                with self.assertRaises(BridgeError) as caught:
                    session.steps(rows(3, 1))
                self.assertEqual(caught.exception.code, "session_epoch")

    def test_rows_of_another_client_are_other_writer(self):
        session = self.client.session("shared", outputs=columns)
        self.client.session("shared", outputs=columns).steps(rows(0, 5))
        with self.assertRaises(BridgeError) as caught:
            session.steps(rows(0, 3))
        self.assertEqual(caught.exception.code, "other_writer")

    def test_rows_stay_while_the_bridge_is_away_longer_than_resume_seconds(self):
        with BridgeClient(self.bridge.address, resume_seconds=0.2) as hasty:
            session = hasty.session(outputs=columns)
            self.bridge.kill()
            with self.assertRaises(BridgeError) as caught:
                session.steps(rows(0, 5))
            self.assertEqual((caught.exception.code, session.next), ("unreachable", 5))
            self.bridge.start()
            answered = session.steps(rows(5, 5))
            self.assertEqual((answered["offset"], answered["outputsFrom"]), (10, 5))

    def test_flush_waits_for_a_bridge_that_restarts(self):
        session = self.client.session(outputs=columns)
        session.steps(rows(0, 5))
        self.bridge.kill()
        starting = threading.Timer(0.5, self.bridge.start)
        starting.start()
        session.flush()
        starting.join()
        self.assertEqual((session.durable, session.kept), (5, 0))

    def test_rows_whose_outputs_are_too_many_for_an_answer_are_sent_in_parts(self):
        session = self.client.session()
        self.assertEqual(len(session.steps(rows(0, 1500))["outputs"]), 1500)

    def test_more_rows_than_may_be_kept_wait_for_the_commit(self):
        session = self.client.session(max_kept_rows=10, outputs=columns)
        for i in range(5):
            session.steps(rows(8 * i, 8))
            self.assertLessEqual(session.kept, 10)
        with self.assertRaisesRegex(ValueError, "max_kept_rows"):
            session.steps(rows(0, 11))


if __name__ == "__main__":
    unittest.main()
