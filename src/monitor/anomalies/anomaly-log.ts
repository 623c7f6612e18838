/**
 * From what the rules say at each scrape to anomalies that begin and end, and how many there were a day.
 *
 *     an anomaly of a kind begins when one of its rules alarms, and ends when none has for CALM_SECONDS
 *
 * The rule that found it stays its rule; the evidence is of all rules that see it now. A rule that does not say (null) holds what it
 * said before.
 */
import { type Anomaly, type AnomalyKind, type AnomalyRule, anomalyKinds, type Verdict } from './anomaly.js';

const CALM_SECONDS = 60;
/** An anomaly that lasts longer is learned from, so that it can become normal. */
const LASTING_SECONDS = 3600;
const DAY_SECONDS = 86_400;

/** How many anomalies began in how long a watch: in normal operation these are the false alarms. */
export interface AnomalyCounts {
  /** Seconds in which the engine answered with figures. */
  watchedSeconds: number;
  /** Anomalies that began. */
  alarms: number;
  /** Of each kind. */
  byKind: Record<AnomalyKind, number>;
  /** Anomalies a day of watch; null before the first figures. */
  alarmsPerDay: number | null;
}

/** What began and what ended with one scrape. */
export interface AnomalyChanges {
  begun: Anomaly[];
  ended: Anomaly[];
}

interface Episode {
  anomaly: Anomaly;
  /** What each rule says that sees it. */
  seen: Map<AnomalyRule, string>;
  begunAt: number;
  /** When a rule last saw it. */
  lastAt: number;
}

export class AnomalyLog {
  readonly #episodes = new Map<AnomalyKind, Episode>();
  readonly #counts = Object.fromEntries(anomalyKinds.map((kind) => [kind, 0])) as Record<AnomalyKind, number>;
  #watched = 0;

  /** Those present, the oldest first; copies. */
  get present(): Anomaly[] {
    return [...this.#episodes.values()].map(({ anomaly }) => ({ ...anomaly, evidence: [...anomaly.evidence] }));
  }

  /** Whether what is seen at a time is normal traffic: no anomaly is present, or only such as have lasted for an hour. */
  isCalm(time: number): boolean {
    return [...this.#episodes.values()].every(({ begunAt }) => time - begunAt > LASTING_SECONDS);
  }

  get counts(): AnomalyCounts {
    const alarms = anomalyKinds.reduce((sum, kind) => sum + this.#counts[kind], 0);
    const alarmsPerDay = this.#watched > 0 ? (alarms * DAY_SECONDS) / this.#watched : null;
    return { watchedSeconds: this.#watched, alarms, byKind: { ...this.#counts }, alarmsPerDay };
  }

  /** What the rules say of the scrape at `time`, which covers `seconds`. */
  observe(verdicts: readonly Verdict[], time: number, seconds: number): AnomalyChanges {
    this.#watched += seconds;
    const begun = verdicts.flatMap((verdict) => this.#take(verdict, time));
    const ended: Anomaly[] = [];
    for (const [kind, episode] of this.#episodes) {
      if (episode.seen.size > 0) episode.lastAt = time;
      episode.anomaly.evidence = episode.seen.size > 0 ? [...episode.seen.values()] : episode.anomaly.evidence;
      if (time - episode.lastAt < CALM_SECONDS) continue;
      this.#episodes.delete(kind);
      ended.push(episode.anomaly);
    }
    return { begun, ended };
  }

  /** Ends all, as a restart does. */
  clear(): Anomaly[] {
    const ended = this.present;
    this.#episodes.clear();
    return ended;
  }

  /** The anomaly that begins with this verdict, or none. */
  #take({ kind, rule, alarm, evidence, since }: Verdict, time: number): Anomaly[] {
    const known = this.#episodes.get(kind);
    if (alarm === false) known?.seen.delete(rule);
    if (alarm !== true) return [];
    known?.seen.set(rule, evidence);
    if (known !== undefined) return [];
    const anomaly: Anomaly = { kind, evidence: [evidence], since, rule };
    this.#episodes.set(kind, { anomaly, seen: new Map([[rule, evidence]]), begunAt: time, lastAt: time });
    this.#counts[kind]++;
    return [{ ...anomaly, evidence: [evidence] }];
  }
}
