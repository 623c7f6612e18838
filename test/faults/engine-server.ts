/** A server on loopback with the paths of an engine, each answering well or badly as a test says. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export type Answer = (response: http.ServerResponse, body: string, request: http.IncomingMessage) => void;

export interface EngineServer {
  url: string;
  /** What was asked, in order: 'GET /health', and whether the asker still waits. */
  asked: { request: string; headers: http.IncomingHttpHeaders; body: string; open: () => boolean }[];
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** Paths that are not named answer 404 as the engine does. Listens on a port, any by default, or on a Unix socket. */
export async function serveEngine(answers: Record<string, Answer>, at: number | string = 0): Promise<EngineServer> {
  const asked: EngineServer['asked'] = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const open = () => !response.closed && !response.destroyed;
    asked.push({ request: `${request.method} ${request.url}`, headers: request.headers, body, open });
    const answer = answers[request.url ?? ''] ?? json({ detail: 'Not Found' }, 404);
    answer(response, body, request);
  });
  const place = typeof at === 'string' ? { path: at } : { port: at, host: '127.0.0.1' };
  await new Promise<void>((resolve) => server.listen(place, resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function json(value: unknown, status = 200): Answer {
  return text(JSON.stringify(value), status, 'application/json');
}

export function text(body: string, status = 200, type = 'text/plain; version=0.0.4'): Answer {
  return (response) => response.writeHead(status, { 'content-type': type }).end(body);
}

export const silent: Answer = () => {};

/** Declares the whole body and sends its first half. */
export function cut(body: string): Answer {
  return (response) => {
    response.writeHead(200, { 'content-length': Buffer.byteLength(body) });
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  };
}

/** A port of loopback that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const modelCard = {
  ...{
    id: 'm',
    object: 'model',
    created: 1,
    owned_by: 'aphrodite',
    root: '/models/m',
    parent: null,
    max_model_len: 8192,
  },
  permission: [{ id: 'p' }],
};

export const metricsBody = [
  '# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.',
  '# TYPE process_start_time_seconds gauge',
  'process_start_time_seconds 1.7953796409e+09',
  '# TYPE aphrodite:num_requests_running gauge',
  'aphrodite:num_requests_running{engine="0",model_name="m"} 19.0',
  'aphrodite:num_requests_running{engine="1",model_name="m"} 5.0',
  '# TYPE aphrodite:num_requests_waiting gauge',
  'aphrodite:num_requests_waiting{engine="0",model_name="m"} 2.0',
  'aphrodite:num_requests_waiting{engine="1",model_name="m"} 0.0',
  '# TYPE aphrodite:num_requests_waiting_by_reason gauge',
  'aphrodite:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 1.0',
  'aphrodite:num_requests_waiting_by_reason{engine="0",model_name="m",reason="deferred"} 1.0',
  '# TYPE aphrodite:engine_sleep_state gauge',
  'aphrodite:engine_sleep_state{engine="0",model_name="m",sleep_state="awake"} 1.0',
  'aphrodite:engine_sleep_state{engine="0",model_name="m",sleep_state="discard_all"} 0.0',
  '# TYPE aphrodite:kv_cache_usage_perc gauge',
  'aphrodite:kv_cache_usage_perc{engine="0",model_name="m"} 0.5',
  'aphrodite:kv_cache_usage_perc{engine="1",model_name="m"} 0.25',
  '# TYPE aphrodite:num_preemptions_total counter',
  'aphrodite:num_preemptions_total{engine="0",model_name="m"} 4.0',
  '# TYPE aphrodite:prompt_tokens_total counter',
  'aphrodite:prompt_tokens_total{engine="0",model_name="m"} 1000.0',
  '# TYPE aphrodite:generation_tokens_total counter',
  'aphrodite:generation_tokens_total{engine="0",model_name="m"} 5712.0',
  '# TYPE aphrodite:request_success_total counter',
  'aphrodite:request_success_total{engine="0",finished_reason="stop",model_name="m"} 152.0',
  'aphrodite:request_success_total{engine="1",finished_reason="stop",model_name="m"} 8.0',
  'aphrodite:request_success_total{engine="0",finished_reason="error",model_name="m"} 3.0',
  '# TYPE aphrodite:request_success_created gauge',
  'aphrodite:request_success_created{engine="0",finished_reason="stop",model_name="m"} 1.7953796413e+09',
  '# TYPE aphrodite:iteration_tokens_total histogram',
  'aphrodite:iteration_tokens_total_bucket{engine="0",le="8.0",model_name="m"} 568.0',
  'aphrodite:iteration_tokens_total_bucket{engine="0",le="+Inf",model_name="m"} 2500.0',
  'aphrodite:iteration_tokens_total_count{engine="0",model_name="m"} 2500.0',
  'aphrodite:iteration_tokens_total_sum{engine="0",model_name="m"} 340984.0',
  '# TYPE aphrodite:iteration_tokens_total_created gauge',
  'aphrodite:iteration_tokens_total_created{engine="0",model_name="m"} 1.7953796413e+09',
  '# TYPE aphrodite:request_inference_time_seconds histogram',
  'aphrodite:request_inference_time_seconds_bucket{engine="0",le="+Inf",model_name="m"} 155.0',
  'aphrodite:request_inference_time_seconds_count{engine="0",model_name="m"} 155.0',
  'aphrodite:request_inference_time_seconds_sum{engine="0",model_name="m"} 620.5',
  '# TYPE aphrodite:cache_config_info gauge',
  'aphrodite:cache_config_info{block_size="16",engine="0",num_gpu_blocks="1000",num_cpu_blocks="None"} 1.0',
  'aphrodite:cache_config_info{block_size="16",engine="1",num_gpu_blocks="500",num_cpu_blocks="None"} 1.0',
  '',
].join('\n');

/** Every endpoint answering as an engine with a byte tokenizer does. */
export const goodEngine: Record<string, Answer> = {
  '/v1/models': json({ object: 'list', data: [modelCard] }),
  '/version': json({ version: '0.10.0' }),
  '/health': (response) => response.writeHead(200).end(),
  '/metrics': text(metricsBody),
  '/tokenize': (response, body) => {
    const tokens = [256, ...Buffer.from(JSON.parse(body).prompt)];
    json({ count: tokens.length, max_model_len: 8192, tokens, token_strs: null })(response, body, response.req);
  },
  '/detokenize': (response, body) => {
    const bytes = JSON.parse(body).tokens.filter((token: number) => token < 256);
    json({ prompt: `<s>${Buffer.from(bytes).toString()}` })(response, body, response.req);
  },
};
