/**
 * A gateway before several engines: the bridge says whether a request is taken, and by which engine.
 *
 *     npx dtesn bridge --engine http://127.0.0.1:8001 --engine http://127.0.0.1:8002
 *     node examples/gateway.mjs http://127.0.0.1:2250 8080 http://127.0.0.1:8001 http://127.0.0.1:8002
 *
 * A request with the header x-llm-d-slo-ttft-ms is refused with 429 where its first token would come too late; one without it goes
 * where its first token comes first. While the bridge does not answer the gateway takes the engines that it knows in turn.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { BridgeClient } from 'dtesn/bridge-client';

const [address, port, ...engines] = process.argv.slice(2);
/** What a request may wait for advice. */
const budgetMs = Number(process.env.BRIDGE_BUDGET_MS ?? 250);
const bridge = new BridgeClient(address, { budgetMs });
let turn = 0;

async function serve(request, response) {
  const body = Buffer.concat(await request.toArray());
  const { prompt } = JSON.parse(body);
  const promptTokens = Array.isArray(prompt) ? prompt.length : Math.ceil(prompt.length / 4);
  const session = request.headers['x-session-id'];
  const ttftSloMs = Number(request.headers['x-llm-d-slo-ttft-ms']);
  const asked = { promptTokens, session };
  const place = ttftSloMs > 0 ? await bridge.admit({ ...asked, ttftSloMs }) : await bridge.pick(asked);
  if (place?.admitted === false) {
    response.writeHead(429, { 'retry-after': Math.ceil(place.retryAfterMs / 1000) }).end(place.reason);
    return;
  }
  const url = place?.url ?? engines[turn++ % engines.length];
  const ticket = randomUUID();
  // Reports go beside the request, one after the other.
  let told = place === null ? Promise.resolve() : bridge.dispatch({ ...asked, engine: place.engine, ticket });
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  let generatedTokens = 0;
  let outcome = 'error';
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url + request.url, { method: 'POST', headers, body, signal: gone.signal });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') });
    for await (const part of answer.body) {
      if (generatedTokens === 0 && answer.ok) told = told.then(() => bridge.firstToken(ticket));
      generatedTokens += Buffer.from(part).toString().split('"text":').length - 1;
      response.write(part);
    }
    if (answer.ok) outcome = 'ok';
  } catch {
    outcome = gone.signal.aborted ? 'aborted' : 'error';
    if (!response.headersSent) response.writeHead(502);
  }
  response.end();
  told.then(() => bridge.finish(ticket, { outcome, generatedTokens }));
}

const server = http.createServer((request, response) => {
  serve(request, response).catch(() => response.destroy());
});
server.listen(Number(port), '127.0.0.1', () => console.log(`gateway on http://127.0.0.1:${server.address().port}`));
