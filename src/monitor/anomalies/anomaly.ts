/** What an anomaly is, and what a rule says at each scrape. */
export const anomalyKinds = ['slow', 'leak', 'storm', 'partial-hang'] as const;
/**
 * What is wrong with an engine that answers:
 *
 *     slow           tokens take longer than the load explains
 *     leak           KV memory is held that the load does not explain
 *     storm          requests are preempted far more often than in normal traffic
 *     partial-hang   a rank stands still with work while another does not
 */
export type AnomalyKind = (typeof anomalyKinds)[number];

/**
 * The rule that found an anomaly:
 *
 *     chart       the CUSUM of what the load does not explain is above its learned limit
 *     threshold   an average over 10 seconds is above its learned limit
 *     idle-kv     nothing runs or waits, but KV memory is held
 *     heartbeat   a rank has work and counts none
 *     in-flight   the caller waits for requests that no rank shows, and a rank counts nothing
 */
export type AnomalyRule = 'chart' | 'threshold' | 'idle-kv' | 'heartbeat' | 'in-flight';

/** Something wrong with an engine that answers. */
export interface Anomaly {
  /** What is wrong. */
  kind: AnomalyKind;
  /** One sentence for each rule that sees it now. */
  evidence: string[];
  /** When it began as far as the first rule can tell, seconds of the observations' clock. */
  since: number;
  /** The rule that found it first. */
  rule: AnomalyRule;
}

/** What a rule says of one scrape. */
export interface Verdict {
  kind: AnomalyKind;
  rule: AnomalyRule;
  /** Whether it sees the anomaly; null where this scrape does not say, so that what was said before holds. */
  alarm: boolean | null;
  evidence: string;
  since: number;
}
