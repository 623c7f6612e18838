/** The command as a user runs it, against engines that fail in their ways. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { multiSourceDataSchema } from '../../src/pipeline/index.js';
import { dtesnResultSchema } from '../../src/processor/index.js';

const main = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

function dtesn(args: string[], env: NodeJS.ProcessEnv = {}, input?: string): Promise<Ended> {
  return new Promise((resolve) => {
    const child: ChildProcess = execFile(
      process.execPath,
      [main, ...args],
      { env: { ...process.env, ...env }, maxBuffer: 1 << 26 },
      (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

async function withServer<R>(listener: RequestListener, body: (url: string) => Promise<R>): Promise<R> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Where no limit is tested: as long as a busy machine needs. */
const patient = { DTESN_SOURCE_DEADLINE_MS: '20000' };

describe('dtesn process', () => {
  test('dtesn process --json prints one JSON object that the schema accepts', async () => {
    const { status, stdout } = await dtesn(['process', '--text', 'hello', '--json'], patient);
    expect(status).toBe(0);
    expect(dtesnResultSchema.safeParse(JSON.parse(stdout)).error).toBeUndefined();
  });

  test('dtesn process prints a page with every stage, and marks a simulation as one', {
    tags: ['slow'],
  }, async () => {
    const { status, stdout, stderr } = await dtesn(['process', 'README.md']);
    expect(status).toBe(0);
    for (const part of ['Sources', 'Plan', 'Stages', 'Membranes', 'Features', 'Throughput', 'a simulation']) {
      expect(stdout).toContain(part);
    }
    expect(stderr).toContain('dtesn: building the model');
  });

  test('dtesn process reads standard input', async () => {
    const { status, stdout } = await dtesn(['process', '-', '--json'], patient, 'from a pipe');
    expect(status).toBe(0);
    expect(JSON.parse(stdout).input.steps).toBe(12);
  });

  test('dtesn process against a server with models and health only keeps the deadline, prints the true quality and exits with 0', {
    tags: ['slow'],
  }, async () => {
    const listener: RequestListener = (request, response) => {
      if (request.url === '/v1/models') {
        response.setHeader('content-type', 'application/json');
        response.end(
          JSON.stringify({
            object: 'list',
            data: [{ id: 'm', object: 'model', owned_by: 'vllm', root: 'm', parent: null, max_model_len: 128 }],
          }),
        );
      } else if (request.url === '/health') response.end();
      else if (request.url === '/tokenize')
        return; // never answers
      else {
        response.statusCode = 404;
        response.end('{"detail":"Not Found"}');
      }
    };
    await withServer(listener, async (url) => {
      // Longer than the default: what does answer has to, on a busy machine too.
      const limited = { DTESN_SOURCE_DEADLINE_MS: '1500' };
      const { status, stdout } = await dtesn(['process', '--text', 'hello', '--engine', url, '--json'], limited);
      expect(status).toBe(0);
      const result = dtesnResultSchema.parse(JSON.parse(stdout));
      const { sources, aggregation } = result.context;
      expect(aggregation).toMatchObject({ data_quality_score: 0.6, successful_sources: 3, failed_sources: 2 });
      expect(sources.model_config).toMatchObject({ model_name: 'm', max_model_len: 128 });
      expect(sources.tokenizer).toMatchObject({ state: 'error', error_code: 'ERR_DTESN_SOURCE_TIMEOUT' });
      expect(sources.performance).toMatchObject({
        state: 'error',
        error_code: 'ERR_DTESN_ENGINE_HTTP',
        http_status: 404,
      });
      expect(result.context.elapsed_ms).toBeGreaterThan(890);
      expect(result.context.elapsed_ms).toBeLessThan(4000);
      expect(result.input.encoder).toBe('utf8-bytes');
    });
  });

  test('dtesn process requests a TGI server by its own endpoints', { tags: ['slow'] }, async () => {
    const answers: Record<string, unknown> = {
      '/info': { model_id: 'org/m', model_dtype: 'torch.float16', max_total_tokens: 4096, version: '3.0.0' },
      '/tokenize': [...Buffer.from('hello')].map((id) => ({ id })),
    };
    const listener: RequestListener = ({ url }, response) => {
      if (url === '/health') return response.end();
      if (url === '/metrics') return response.end('tgi_queue_size 0\ntgi_batch_current_size 1\n');
      const answer = answers[url ?? ''];
      response.statusCode = answer === undefined ? 404 : 200;
      return response.end(JSON.stringify(answer ?? {}));
    };
    await withServer(listener, async (url) => {
      const { stdout } = await dtesn(['process', '--text', 'hello', '--engine', url, '--json'], patient);
      const { context, input } = JSON.parse(stdout);
      expect(context.sources.model_config).toMatchObject({
        model_name: 'org/m',
        max_model_len: 4096,
        dtype: 'float16',
      });
      expect(context.sources.tokenizer.engine_type).toBe('tgi');
      expect(input).toMatchObject({ encoder: 'engine', steps: 5 });
    });
  });

  test('dtesn process without a listening server processes on defaults, prints each failure with its code and exits with 0', {
    tags: ['slow'],
  }, async () => {
    const { status, stdout } = await dtesn(['process', '--text', 'hello', '--engine', 'http://127.0.0.1:1', '--json']);
    expect(status).toBe(0);
    const { context } = dtesnResultSchema.parse(JSON.parse(stdout));
    expect(context.aggregation.data_quality_score).toBe(0.4);
    for (const name of ['model_config', 'tokenizer', 'performance'] as const) {
      expect(context.sources[name].error_code).toBe('ERR_DTESN_ENGINE_REFUSED');
    }
  });

  test('dtesn process reports 401 as a credential problem', { tags: ['slow'] }, async () => {
    const listener: RequestListener = (_request, response) => {
      response.statusCode = 401;
      response.end('{"error":"Unauthorized"}');
    };
    await withServer(listener, async (url) => {
      const { stdout } = await dtesn(['process', '--text', 'hello', '--engine', url, '--json'], patient);
      const { model_config } = JSON.parse(stdout).context.sources;
      expect(model_config.error_code).toBe('ERR_DTESN_ENGINE_CREDENTIAL');
      expect(model_config.error).toMatch(/credential.*apiKey/s);
    });
  });
});

test('dtesn sources shows every source, quality, constraints, hints and each transformation', {
  tags: ['slow'],
}, async () => {
  const { status, stdout } = await dtesn(['sources'], patient);
  expect(status).toBe(0);
  for (const part of [
    'model_config',
    'tokenizer',
    'performance',
    'processing_state',
    'resources',
    'quality 1.00',
    'max_sequence_length',
    'high_load_detected',
    'normalize_to_model_constraints',
    'apply_vocab_limits',
    'adjust_concurrency',
    'optimize_batch_size',
    'scale_to_available_memory',
    'distribute_processing_load',
  ]) {
    expect(stdout).toContain(part);
  }
  const json = await dtesn(['sources', '--json']);
  expect(multiSourceDataSchema.safeParse(JSON.parse(json.stdout)).success).toBe(true);
});

test('dtesn doctor checks every kernel of every instruction set and says where the binary is', {
  tags: ['slow'],
}, async () => {
  const { status, stdout } = await dtesn(['doctor']);
  expect(status).toBe(0);
  expect(stdout).toContain('all kernels are right');
  expect(stdout).toContain('dtesn.node');
});

describe('wrong use', () => {
  test.each([
    [['process'], 2, /Expected a file/],
    [['process', 'a', 'b'], 2, /Unexpected argument b/],
    [['proces'], 2, /Unknown command proces/],
    [['process', '--txt', 'x'], 2, /--txt/],
    [['process', 'no-such-file'], 1, /no-such-file/],
    [['process', '--text', 'x', '--engine', 'ftp://x'], 2, /http or https URL .* for --engine .*ftp/],
  ] as [string[], number, RegExp][])(
    'wrong use %j prints an error and exits with its code',
    { tags: ['slow'] },
    async (args, wanted, message) => {
      const { status, stderr } = await dtesn(args);
      expect(status).toBe(wanted);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n {4}at /);
    },
  );

  test('an instruction set that the machine lacks is refused by name', { tags: ['slow'] }, async () => {
    const { status, stderr } = await dtesn(['doctor'], { DTESN_ISA: 'mmx' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/DTESN_ISA but received mmx/);
  });
});

test('a reader that closes early ends the command quietly', { tags: ['slow'] }, async () => {
  const child = spawn('sh', ['-c', `"${process.execPath}" "${main}" process README.md --json | head -c 10`]);
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect(status).toBe(0);
});
