/**
 * Prometheus text: the 55 KB that an engine exposes, and a million series of 100 bytes.
 *
 * The limit of a parser is to look at every byte once: a loop that sums the bytes of the same body. The body of an engine is
 * the embedded engine's own. The million series are parsed in a process of their own; `peak MB` is all of its memory after
 * the first parse: repeats leave garbage that says more of the collector's patience than of the parser.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EmbeddedEngine, parsePrometheus } from '../dist/index.js';
import { bestMicroseconds, measure, round } from './measure.mjs';

export async function run({ quick }) {
  const engine = await EmbeddedEngine.start();
  const body = await engine.metrics();
  await engine.close();
  const parsed = await measure('parse', () => parsePrometheus(body), { quick });
  const once = await measure('bytes', () => sumOf(body), { quick });
  return [
    {
      task: `parsePrometheus, an engine's ${round(body.length / 1000)} KB`,
      'best ms': round(parsed.best / 1000),
      'median ms': round(parsed.median / 1000),
      'limit ms': round(once.best / 1000),
      share: round(once.best / parsed.best),
    },
    manySeries(quick ? 100_000 : 1_000_000),
  ];
}

function manySeries(count) {
  const script = fileURLToPath(import.meta.url);
  const { stdout, stderr } = spawnSync(process.execPath, [script, String(count)], { encoding: 'utf8' });
  if (stdout === '') return { task: `parsePrometheus, ${count} series`, error: stderr };
  return { task: `parsePrometheus, ${count} series`, ...JSON.parse(stdout) };
}

function sumOf(bytes) {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum += bytes[i];
  return sum;
}

/** Series of 100 bytes, each with labels of its own, by families of ten thousand. */
function bodyOf(count) {
  const body = Buffer.allocUnsafe(count * 100 + Math.ceil(count / 10_000) * 40);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const family = `engine:metric_${String(Math.floor(i / 10_000)).padStart(4, '0')}`;
    if (i % 10_000 === 0) at += body.write(`# TYPE ${family} gauge\n`, at);
    const labels = `engine="${i % 8}",model_name="meta-llama/Llama-3.1-8B",request="${String(i).padStart(12, '0')}"`;
    at += body.write(`${family}{${labels}} ${i % 97}.5\n`.padStart(100), at);
  }
  return body.subarray(0, at);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const body = bodyOf(Number(process.argv[2]));
  parsePrometheus(body);
  const peak = process.resourceUsage().maxRSS / 1000;
  const best = await bestMicroseconds(() => parsePrometheus(body), 2);
  const once = await bestMicroseconds(() => sumOf(body), 1);
  const figures = {
    'best ms': round(best / 1000),
    'limit ms': round(once / 1000),
    share: round(once / best),
    'body MB': round(body.length / 1e6),
    'peak MB': round(peak),
  };
  console.log(JSON.stringify(figures));
}
