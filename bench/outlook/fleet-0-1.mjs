/**
 * The rule of choice of the Fleet of dtesn 0.1, frozen, as a policy of closedLoop: what routing is compared with.
 *
 *     cost = (1 + running + 3 waiting + sent) / (1.05 - kv)        four times that when saturated, or short of KV memory for the prompt
 *
 * running, waiting, kv: of the last scrape; sent: requests sent since. Saturated: for three scrapes in a row requests waited,
 * some were preempted or kv was above 0.95; until three scrapes in a row showed none of it. Of equals the first.
 */
const WAITING = 3;
const SATURATED = 4;
const SUSTAINED = 3;
const FULL = 0.95;

export function fleet01() {
  const strains = new Map();
  return ({ promptTokens }, engines) => {
    let best = engines[0];
    let least = Number.POSITIVE_INFINITY;
    for (const engine of engines) {
      const cost = costOf(engine, promptTokens, strains);
      if (cost < least) [best, least] = [engine, cost];
    }
    return best.index;
  };
}

function costOf({ index, figures, readSeconds, sentRequests }, promptTokens, strains) {
  if (figures === null) return 1 + sentRequests;
  const strain = strains.get(index) ?? {
    readSeconds: null,
    strained: 0,
    relaxed: SUSTAINED,
    isSaturated: false,
    preemptions: 0,
  };
  strains.set(index, strain);
  if (strain.readSeconds !== readSeconds) observe(strain, figures, readSeconds);
  const { running, waiting, kvUsageMax: usage, kvTokensCapacity: capacity } = figures;
  const strained = strain.isSaturated || promptTokens > (1 - usage) * capacity;
  return ((1 + running + WAITING * waiting + sentRequests) / (1.05 - usage)) * (strained ? SATURATED : 1);
}

function observe(strain, { waiting, preemptions, kvUsageMax }, readSeconds) {
  const isStrained = waiting > 0 || preemptions > strain.preemptions || kvUsageMax > FULL;
  strain.strained = isStrained ? strain.strained + 1 : 0;
  strain.relaxed = isStrained ? 0 : strain.relaxed + 1;
  strain.isSaturated = strain.strained >= SUSTAINED || (strain.isSaturated && strain.relaxed < SUSTAINED);
  strain.preemptions = preemptions;
  strain.readSeconds = readSeconds;
}
