/** Seconds to the first token, mean / 99th percentile, on engines of unequal speed by the rule that picks. */
import { closedLoop } from '../../dist/index.js';
import { fleet01 } from './fleet-0-1.mjs';

const ENGINES = [{ speed: 1 }, { speed: 1 }, { speed: 0.7 }, { speed: 0.5 }];

const least = (of) => () => (_request, engines) => engines.reduce((a, b) => (of(b) < of(a) ? b : a)).index;
const rules = {
  'Fleet of 0.1': fleet01,
  'in turn': () => undefined,
  'least in flight': least(({ inFlight }) => inFlight),
  'least waiting tokens': least(({ waitingTokens }) => waitingTokens),
  ours: () => true,
};

export async function routingRows(cases, seeds) {
  const rows = [];
  for (const { name, trace, load, fault } of cases) {
    const row = { task: `${name} ${load}${fault === undefined ? '' : `, one engine: ${fault.kind}`}` };
    for (const [rule, policy] of Object.entries(rules)) {
      let [mean, p99] = [0, 0];
      for (const seed of seeds) {
        const faults = fault === undefined ? [] : [fault];
        const { ttft } = await closedLoop({ trace, load, seed, engines: ENGINES, faults, policy: { pick: policy() } });
        mean += ttft.mean / seeds.length;
        p99 += ttft.p99 / seeds.length;
      }
      row[rule] = `${mean.toFixed(3)} / ${p99.toFixed(2)}`;
    }
    rows.push(row);
  }
  return rows;
}
