/** Share of all requests whose first token came within the limit, by the rule that admits; limits of others are tuned in hindsight, on the first seed. */
import { closedLoop } from '../../dist/index.js';

const QUEUES = [1, 2, 4, 8, 16, 32, 64];
const TOKENS = [4, 8, 12, 16, 20, 24, 32].map((thousands) => 1000 * thousands);

const byQueue =
  (most) =>
  (_request, [{ figures, sentRequests }]) =>
    (figures?.waiting ?? 0) + sentRequests < most;
const byTokens =
  (most) =>
  ({ promptTokens }, [{ waitingTokens }]) =>
    waitingTokens + promptTokens <= most;

export async function admissionRows(cases, seeds) {
  const rows = [];
  for (const { name, trace, load, slowdown = 1 } of cases) {
    const goodput = async (policy, among = seeds) => {
      let sum = 0;
      for (const seed of among) sum += (await closedLoop({ trace, load, seed, slowdown, policy, sloMs: 2000 })).goodput;
      return (100 * sum) / among.length;
    };
    const tuned = async (limits, rule) => {
      let best = { share: -1, limit: null };
      for (const limit of limits) {
        const share = await goodput({ admit: rule(limit) }, seeds.slice(0, 1));
        if (share > best.share) best = { share, limit };
      }
      return { share: await goodput({ admit: rule(best.limit) }), limit: best.limit };
    };
    const queue = await tuned(QUEUES, byQueue);
    const tokens = await tuned(TOKENS, byTokens);
    rows.push({
      task: `${name} ${load}${slowdown === 1 ? '' : `, ${slowdown}x slower in the 2nd half`}`,
      none: (await goodput({})).toFixed(1),
      'queue, tuned': `${queue.share.toFixed(1)} (${queue.limit})`,
      'tokens, tuned': `${tokens.share.toFixed(1)} (${tokens.limit})`,
      ours: (await goodput({ admit: true })).toFixed(1),
      oracle: (await goodput({ admit: 'oracle' })).toFixed(1),
    });
  }
  return rows;
}
