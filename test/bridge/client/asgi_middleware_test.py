"""The ASGI middleware in a harness that plays the server: messages in, messages out, no packages."""

import asyncio
import json
import os
import sys
import time
import unittest

root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(root, "clients/python"))
from asgi_middleware import DtesnMiddleware  # noqa: E402


class FakeBridge:
    """Records what it is asked and answers by a function: reply(path, message) -> (status, body), or None for no answer."""

    def __init__(self, reply):
        self.asked = []
        self.heads = []
        self.reply = reply

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
                message = json.loads(await reader.readexactly(length))
                path = head.split(" ")[1]
                self.asked.append((path, message))
                self.heads.append(head)
                answer = self.reply(path, message)
                if answer is None:
                    continue
                status, body = answer
                text = json.dumps(body).encode()
                writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()


def normal(path, message):
    if path == "/v1/pick":
        return 200, {"engine": "b", "url": "http://b", "reason": "least work"}
    return 200, {"ticket": message.get("ticket"), "known": True}


def draining(*_):
    return 503, {"error": {"code": "draining", "message": "the end"}}


async def whole(scope, receive, send):
    await receive()
    headers = [(b"content-type", b"application/json")]
    if dict(scope["headers"]).get(b"endpoint-load-metrics-format") == b"json":
        headers.append((b"Endpoint-Load-Metrics", b'JSON {"named_metrics": {"num_requests_waiting": 3}}'))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"answer"})


async def call(app, headers=(), path="/v1/completions", incoming=None):
    """One request; what the app sent."""
    sent = []
    messages = asyncio.Queue()
    for message in incoming or [{"type": "http.request", "body": b"{}", "more_body": False}]:
        messages.put_nowait(message)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
    await app(scope, messages.get, send)
    return sent


def body_of(sent):
    return b"".join(message.get("body", b"") for message in sent)


def paths(bridge):
    return [path for path, _ in bridge.asked]


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Engine(unittest.IsolatedAsyncioTestCase):
    async def test_every_question_has_the_trace_of_its_request(self):
        for role, count in (("engine", 3), ("router", 4)):
            async with FakeBridge(normal) as bridge:
                app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", role=role, budget=5)
                await call(app, [(b"traceparent", TRACE.encode())])
                await app.close()
                self.assertEqual([f"\r\ntraceparent: {TRACE}\r\n" in head for head in bridge.heads], [True] * count)

    async def test_a_malformed_trace_is_not_handed_on(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", budget=5)
            await call(app, [(b"traceparent", TRACE.encode() + b"\r\nx: y")])
            await app.close()
            self.assertEqual(["traceparent" in head for head in bridge.heads], [False] * 3)

    async def test_a_router_hands_the_objectives_of_a_request_on(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(whole, bridge=bridge.address, role="router", budget=5)
            await call(app, [(b"x-llm-d-slo-ttft-ms", b"250.5"), (b"x-llm-d-slo-tpot-ms", b"0")])
            await app.close()
            self.assertIn("\r\nx-llm-d-slo-ttft-ms: 250.5\r\n", bridge.heads[0])
            self.assertNotIn("tpot", bridge.heads[0])

    async def test_a_request_is_reported_in_order_with_one_ticket_and_its_load(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", budget=5)
            sent = await call(app, [(b"x-session-id", b"s-1")])
            await app.close()
            self.assertEqual(body_of(sent), b"answer")
            self.assertEqual(paths(bridge), ["/v1/dispatch", "/v1/first-token", "/v1/finish"])
            dispatch, _, finish = (message for _, message in bridge.asked)
            self.assertEqual((dispatch["engine"], dispatch["session"]), ("a", "s-1"))
            self.assertEqual(len({message["ticket"] for _, message in bridge.asked}), 1)
            self.assertEqual(finish["outcome"], "ok")
            self.assertIn("num_requests_waiting", finish["orca"])
            names = [name.lower() for name, _ in sent[0]["headers"]]
            self.assertNotIn(b"endpoint-load-metrics", names)

    async def test_a_client_that_asked_for_the_load_still_gets_it(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", budget=5)
            sent = await call(app, [(b"endpoint-load-metrics-format", b"json")])
            await app.close()
            self.assertIn(b"Endpoint-Load-Metrics", dict(sent[0]["headers"]))

    async def test_the_first_part_of_a_stream_is_the_first_token_while_the_stream_goes_on(self):
        go_on = asyncio.Event()

        async def streamed(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            for part in (b"data: 1\n\n", b"data: 2\n\n"):
                await send({"type": "http.response.body", "body": part, "more_body": True})
                await go_on.wait()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(streamed, bridge=bridge.address, engine="a", budget=5)
            request = asyncio.ensure_future(call(app))
            while paths(bridge) != ["/v1/dispatch", "/v1/first-token"]:
                await asyncio.sleep(0.01)
            self.assertFalse(request.done())
            go_on.set()
            self.assertEqual(body_of(await request), b"data: 1\n\ndata: 2\n\n")
            await app.close()
            self.assertEqual(paths(bridge), ["/v1/dispatch", "/v1/first-token", "/v1/finish"])

    async def test_a_client_that_leaves_is_an_aborted_request(self):
        async def streamed(scope, receive, send):
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"data", "more_body": True})
            while (await receive())["type"] != "http.disconnect":
                pass

        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(streamed, bridge=bridge.address, engine="a", budget=5)
            await call(app, incoming=[{"type": "http.request"}, {"type": "http.disconnect"}])
            await app.drained()
            self.assertEqual(bridge.asked[-1][1]["outcome"], "aborted")

            cancelled = asyncio.ensure_future(call(app, incoming=[{"type": "http.request"}]))
            await asyncio.sleep(0.05)
            cancelled.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await cancelled
            await app.close()
            self.assertEqual(paths(bridge)[3:], ["/v1/dispatch", "/v1/first-token", "/v1/finish"])
            self.assertEqual(bridge.asked[-1][1]["outcome"], "aborted")

    async def test_an_application_that_fails_is_an_error_and_its_exception_goes_on(self):
        async def failing(scope, receive, send):
            raise RuntimeError("out of memory")

        async def refusing(scope, receive, send):
            await send({"type": "http.response.start", "status": 500, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})

        async with FakeBridge(normal) as bridge:
            for inner in (failing, refusing):
                app = DtesnMiddleware(inner, bridge=bridge.address, engine="a", budget=5)
                try:
                    await call(app)
                    self.assertIs(inner, refusing)
                except RuntimeError as error:
                    self.assertEqual(str(error), "out of memory")
                await app.close()
                self.assertEqual(bridge.asked[-1][1]["outcome"], "error")
            self.assertNotIn("/v1/first-token", paths(bridge))

    async def test_other_paths_and_kinds_pass_untouched(self):
        scopes = []

        async def inner(scope, receive, send):
            scopes.append(scope)

        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(inner, bridge=bridge.address, engine="a")
            await call(app, path="/health")
            await app({"type": "lifespan"}, None, None)
            await app.close()
            self.assertEqual([scope["type"] for scope in scopes], ["http", "lifespan"])
            self.assertEqual(bridge.asked, [])

    async def test_no_failure_of_the_bridge_is_seen_in_the_answer_nor_waited_for(self):
        for name, reply in (("hangs", lambda *_: None), ("says 503", draining), ("nonsense", lambda *_: (200, []))):
            with self.subTest(name):
                async with FakeBridge(reply) as bridge:
                    app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", budget=0.05)
                    self.assertEqual(body_of(await call(app)), b"answer")
                    await app.close()
        app = DtesnMiddleware(whole, bridge="http://127.0.0.1:9", engine="a")
        self.assertEqual(body_of(await call(app)), b"answer")
        await app.close()

    async def test_a_request_ends_while_a_report_still_waits_for_the_bridge(self):
        async with FakeBridge(lambda *_: None) as bridge:
            app = DtesnMiddleware(whole, bridge=bridge.address, engine="a", budget=600)
            self.assertEqual(body_of(await call(app)), b"answer")
            for task in app._reports:
                task.cancel()
            await app.close()


class Router(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.picks = []

        async def routed(scope, receive, send):
            self.picks.append(scope["dtesn.pick"])
            await whole(scope, receive, send)

        self.routed = routed

    async def test_the_application_gets_the_pick_and_the_picked_engine_its_reports(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(self.routed, bridge=bridge.address, role="router", budget=5)
            await call(app, [(b"X-Session-Id", b"s-1")])
            await app.close()
            self.assertEqual(self.picks[0]["engine"], "b")
            self.assertEqual(bridge.asked[0], ("/v1/pick", {"session": "s-1"}))
            self.assertEqual(bridge.asked[1][1]["engine"], "b")
            self.assertEqual(paths(bridge)[1:], ["/v1/dispatch", "/v1/first-token", "/v1/finish"])

    async def test_a_bridge_that_is_down_hangs_or_says_503_is_no_pick(self):
        async def picks(address, budget):
            app = DtesnMiddleware(self.routed, bridge=address, role="router", budget=budget)
            self.assertEqual(body_of(await call(app)), b"answer")
            await app.close()
            self.assertIsNone(self.picks.pop())

        await picks("http://127.0.0.1:9", 5)
        async with FakeBridge(draining) as bridge:
            await picks(bridge.address, 5)
        async with FakeBridge(lambda *_: None) as bridge:
            began = time.monotonic()
            await picks(bridge.address, 0.05)
            self.assertGreater(time.monotonic() - began, 0.04)
            self.assertLess(time.monotonic() - began, 5)

    async def test_after_3_failures_it_stops_asking_then_asks_once(self):
        replies = [draining]
        async with FakeBridge(lambda *asked: replies[0](*asked)) as bridge:
            app = DtesnMiddleware(self.routed, bridge=bridge.address, role="router", budget=5, break_seconds=0.3)
            for _ in range(6):
                await call(app)
            self.assertEqual(len(bridge.asked), 3)
            await asyncio.sleep(0.35)
            await asyncio.gather(call(app), call(app))
            self.assertEqual(len(bridge.asked), 4)
            await asyncio.sleep(0.35)
            replies[0] = normal
            await call(app)
            await call(app)
            await app.close()
            self.assertEqual([pick and pick["engine"] for pick in self.picks], [None] * 8 + ["b", "b"])

    async def test_no_engine_is_an_answer_and_opens_no_breaker(self):
        async with FakeBridge(lambda *_: (503, {"error": {"code": "no_engine", "message": ""}})) as bridge:
            app = DtesnMiddleware(self.routed, bridge=bridge.address, role="router", budget=5)
            for _ in range(6):
                await call(app)
            await app.close()
            self.assertEqual(len(bridge.asked), 6)

    async def test_a_connection_is_kept_and_replaced_when_the_bridge_closed_it(self):
        async with FakeBridge(normal) as bridge:
            app = DtesnMiddleware(self.routed, bridge=bridge.address, role="router", budget=5)
            await call(app)
            await app.drained()
            reader, writer, _ = app._bridge._idle[-1]
            writer.transport.abort()
            await asyncio.sleep(0.01)
            await call(app)
            await app.close()
            self.assertEqual([pick["engine"] for pick in self.picks], ["b", "b"])


class Arguments(unittest.TestCase):
    def test_they_come_from_the_environment_and_wrong_ones_are_named(self):
        os.environ["DTESN_ENGINE"] = "from-environment"
        self.assertEqual(DtesnMiddleware(whole)._engine, "from-environment")
        del os.environ["DTESN_ENGINE"]
        with self.assertRaisesRegex(ValueError, "DTESN_ENGINE"):
            DtesnMiddleware(whole)
        with self.assertRaisesRegex(ValueError, "for role"):
            DtesnMiddleware(whole, role="both")
        with self.assertRaisesRegex(ValueError, "for the bridge"):
            DtesnMiddleware(whole, engine="a", bridge="ftp://x")


if __name__ == "__main__":
    unittest.main()
