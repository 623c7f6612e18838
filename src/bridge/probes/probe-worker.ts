/**
 * What the probe thread runs: a text, for a thread is made of plain JavaScript wherever this package lies. The two functions of
 * the heartbeat are put into it as their own text.
 *
 * workerData { shared, host, port }; it says { port } when it listens and { code } when it cannot. GET and HEAD only. The
 * header Host is not checked: an orchestrator asks by the address of the host, and the answers hold nothing but the phase.
 */
import { heartbeatView } from './heartbeat-view.js';
import { probeAnswer } from './probe-answer.js';

export const probeWorker = `
const { randomUUID } = require('node:crypto');
const { createServer } = require('node:http');
const { parentPort, workerData: { shared, host, port } } = require('node:worker_threads');

const heartbeatView = ${heartbeatView.toString()};
const probeAnswer = ${probeAnswer.toString()};

const refusal = (code, message) => JSON.stringify({ error: { code, message } }) + '\\n';

const server = createServer(
  { headersTimeout: 5000, requestTimeout: 5000, keepAliveTimeout: 75000, connectionsCheckingInterval: 1000, maxHeaderSize: 16384 },
  (request, response) => {
    response.setHeader('content-type', 'application/json');
    response.setHeader('cache-control', 'no-store');
    response.setHeader('x-request-id', randomUUID());
    const answer = probeAnswer(heartbeatView(shared), request.url, Number(process.hrtime.bigint()) / 1e6);
    if (answer === null) {
      response.writeHead(404, { connection: 'close' });
      response.end(refusal('not_found', 'Expected /livez, /readyz, /healthz or /health'));
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD', connection: 'close' });
      response.end(refusal('method_not_allowed', 'Expected GET or HEAD'));
    } else {
      response.writeHead(answer.status);
      response.end(answer.body);
    }
    request.resume();
  },
);
server.maxConnections = 256;
server.on('clientError', (error, socket) => {
  if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const [status, code] = tooLarge
    ? ['431 Request Header Fields Too Large', 'headers_too_large']
    : late ? ['408 Request Timeout', 'request_timeout'] : ['400 Bad Request', 'malformed'];
  const body = refusal(code, 'Expected an HTTP/1.1 request');
  socket.end(
    'HTTP/1.1 ' + status + '\\r\\ncontent-type: application/json\\r\\nx-request-id: ' + randomUUID() +
      '\\r\\nconnection: close\\r\\ncontent-length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body,
  );
});
server.on('error', (error) => {
  if (!server.listening) parentPort.postMessage({ code: error.code });
});
server.listen({ host, port }, () => parentPort.postMessage({ port: server.address().port }));
`;
