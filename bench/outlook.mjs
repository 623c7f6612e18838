/**
 * What looking ahead is worth: predicted times to the first token, admission and routing, in closed loop over simulated engines.
 *
 *     npm run bench -- outlook                     the shipped generator of bursty arrivals (mmpp)
 *     npm run bench -- outlook --trace FILE ...    and files such as the Azure LLM inference traces 2023
 *
 * Virtual time and fixed seeds: the figures are the same on every machine. A trace whose name holds `conv` or `code` runs at the
 * loads of docs/outlook.md, another one at 0.7. Cells of predictions are median |ln error| / area under the ROC curve for "later than
 * 2 s"; of admission the share of all requests within 2 s, in %; of routing seconds to the first token, mean / 99th percentile.
 */
import path from 'node:path';
import { admissionRows } from './outlook/admission.mjs';
import { predictionRows } from './outlook/prediction.mjs';
import { routingRows } from './outlook/routing.mjs';

const SEEDS = [11, 12];
const loads = {
  code: { prediction: 0.3, admission: 0.7, slowed: 0.7, routing: 0.35 },
  conv: { prediction: 0.9, admission: 1.1, slowed: 0.9, routing: 0.8 },
  mmpp: { prediction: 0.7, admission: 1.1, slowed: 0.9, routing: 0.35 },
  other: { prediction: 0.7, admission: 0.9, slowed: 0.7, routing: 0.5 },
};
/** Three times slower after 1,500 s of drift; one token of ten that an engine gives back is lost. */
const DRIFT = { kind: 'drift', atSeconds: 300, engine: 0, amount: 2 / 1500 };
const LEAK = { kind: 'leak', atSeconds: 300, engine: 0, amount: 0.1 };

export async function run({ quick, traces = [] }) {
  const seeds = quick ? SEEDS.slice(0, 1) : SEEDS;
  const named = [{ name: 'mmpp', trace: 'mmpp', at: loads.mmpp }, ...traces.map(namedTrace)];
  const cases = (kind, more = {}) => named.map(({ name, trace, at }) => ({ name, trace, load: at[kind], ...more }));
  const rows = [
    ...(await predictionRows(cases('prediction'), seeds, 1)),
    ...(await predictionRows(cases('prediction'), seeds, 0.5)),
  ];
  if (quick) return rows;
  rows.push(...(await admissionRows([...cases('admission'), ...cases('slowed', { slowdown: 1.8 })], seeds)));
  rows.push(...(await routingRows(cases('routing'), seeds)));
  rows.push(...(await routingRows(cases('routing', { fault: DRIFT }), seeds)));
  rows.push(...(await routingRows(cases('routing', { fault: LEAK }), seeds)));
  return rows;
}

function namedTrace(file) {
  const base = path.basename(file);
  const name = ['code', 'conv'].find((known) => base.includes(known)) ?? base;
  return { name, trace: file, at: loads[name] ?? loads.other };
}
