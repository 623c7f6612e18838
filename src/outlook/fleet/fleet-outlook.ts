/**
 * What a fleet knows of requests to come: when their first tokens will be there, which engine serves them, and whether they are
 * taken; and how well it was known.
 */
import type { Engine, EngineMetrics, Rates } from '../../engine/index.js';
import { rangeError } from '../../errors/index.js';
import type { EngineMonitor } from '../../monitor/index.js';
import type { TtftPrediction } from '../prediction/index.js';
import { type AdmissionRequest, AdmissionRule, type RoutedRequest, RoutingRule, tokensOf } from '../rules/index.js';
import type { ScaleHint, ScaleHintOptions } from '../scaling/index.js';
import { type EngineLoad, EngineOutlook, type JudgedRequest, type RequestTicket } from './engine-outlook.js';
import { FleetScaling } from './fleet-scaling.js';
import { type OutlookSkill, SkillWindow } from './outlook-skill.js';
import { Reservations } from './reservations.js';
import { ReservedPredictor } from './reserved-predictor.js';
import { TokenLimit } from './token-limit.js';

export const admissionModes = ['advisory', 'active'] as const;
/**
 * Whether requests are refused:
 *
 *     advisory   each one is admitted, and the answer says which would have been refused
 *     active     requests are refused
 */
export type AdmissionMode = (typeof admissionModes)[number];

/** Why and for how long a request is refused, or would have been. */
export interface Refusal {
  retryAfterMs: number;
  /** A sentence with the figures. */
  reason: string;
}

/** A request that is refused in no case: the rule would have refused it. */
export interface WithheldRefusal extends Refusal {
  /**
   * advisory   admission only advises
   * skill      admission is active, but predictions were not better than persistence lately (OutlookSkill.better)
   */
  why: 'advisory' | 'skill';
}

/** Whether a request is taken: by which engine and when its first token is expected, or when to ask again and why. */
export type FleetAdmission =
  | {
      admitted: true;
      engine: Engine;
      ttft: TtftPrediction;
      /** The refusal that the rule came to and that is not carried out; null where it admits. */
      withheld: WithheldRefusal | null;
    }
  | ({ admitted: false } & Refusal);

/** Requests that asked for admission since the fleet was made. */
export interface AdmissionCounts {
  asked: number;
  refused: number;
  /** Admitted although the rule refused, by the reason. */
  withheld: Record<WithheldRefusal['why'], number>;
}

/** What a fleet with the option `outlook` knows of requests to come. */
export interface FleetOutlook {
  /** Whether requests are refused; may be set at any time. Errors: RangeError ERR_DTESN_ARGUMENT for another value. */
  admission: AdmissionMode;
  /** Whether requests to any engine were reported in the last 10 minutes: picks are by predictions then. */
  readonly informed: boolean;
  /** Skill of the predictions of all engines over the last seconds. */
  readonly skill: OutlookSkill;
  /** Requests that asked for admission. */
  readonly admissions: AdmissionCounts;
  /** Skill of the predictions of one engine, given itself or by its label. Errors: RangeError ERR_DTESN_ARGUMENT. */
  skillOf(engine: Engine | string): OutlookSkill;
  /**
   * The load of an engine in 10 s by what is queued there, if nothing more comes: what the option `expectedLoad` of a plan takes. Null
   * while no requests to it are reported. Errors: RangeError ERR_DTESN_ARGUMENT.
   */
  expectedLoad(engine: Engine | string): EngineLoad | null;
}

/** An engine for a request, and what it costs. */
export interface RoutedChoice {
  engine: Engine;
  reason: 'only' | 'cheapest' | 'session' | 'moved';
  /** That of RoutingRule, times the factor of the engine: seconds, weighted with the KV memory in use. */
  cost: number;
  ttft: TtftPrediction;
}

export interface RoutingQuestion extends RoutedRequest {
  factor: (engine: Engine) => number;
}

export class OutlookOfFleet implements FleetOutlook {
  readonly #now: () => number;
  readonly #slots: number | null;
  readonly #engines = new Map<string, EngineOutlook>();
  readonly #routing = new RoutingRule();
  readonly #rule = new AdmissionRule(this.#routing);
  readonly #reservations = new Reservations();
  readonly #skill = new SkillWindow();
  readonly #limit = new TokenLimit();
  readonly #scaling: FleetScaling;
  readonly #admissions: AdmissionCounts = { asked: 0, refused: 0, withheld: { advisory: 0, skill: 0 } };
  #admission: AdmissionMode;
  /** That of the last request that asked for admission. */
  #objectiveMs: number | null = null;

  constructor({ slots, admission, now }: { slots: number | null; admission: AdmissionMode; now: () => number }) {
    this.#slots = slots;
    this.#admission = admission;
    this.#now = now;
    this.#scaling = new FleetScaling({ slots, now });
  }

  get admission(): AdmissionMode {
    return this.#admission;
  }

  set admission(mode: AdmissionMode) {
    if (!admissionModes.includes(mode)) throw rangeError("'advisory' or 'active'", 'admission', mode);
    this.#admission = mode;
  }

  get informed(): boolean {
    for (const engine of this.#engines.values()) if (engine.heard) return true;
    return false;
  }

  get skill(): OutlookSkill {
    return this.#skill.at(this.#now());
  }

  get admissions(): AdmissionCounts {
    return structuredClone(this.#admissions);
  }

  skillOf(engine: Engine | string): OutlookSkill {
    return this.engine(engine).skill;
  }

  expectedLoad(engine: Engine | string): EngineLoad | null {
    return this.engine(engine).expectedLoad();
  }

  /** Errors: RangeError ERR_DTESN_ARGUMENT for one that is not in the fleet. */
  engine(engine: Engine | string): EngineOutlook {
    const label = typeof engine === 'string' ? engine : engine?.label;
    const known = this.#engines.get(label);
    if (known === undefined) throw rangeError('an engine of the fleet', 'engine', label);
    return known;
  }

  add(label: string, monitor: EngineMonitor): EngineOutlook {
    const outcome = (engine: EngineOutlook, request: JudgedRequest, observedMs: number) =>
      this.#observed(engine, request, observedMs);
    const judge = (queuedTokens: number) => ({
      objectiveMs: this.#objectiveMs,
      overLimit: this.#limit.over(queuedTokens),
    });
    const answered = () => monitor.answered();
    const made = new EngineOutlook({ slots: this.#slots, now: this.#now, judge, answered, outcome });
    monitor.inFlight(() => made.inFlight);
    this.#engines.set(label, made);
    this.#scaling.add(label);
    return made;
  }

  remove(label: string): void {
    this.#engines.get(label)?.close();
    this.#engines.delete(label);
    this.#reservations.forget(label);
    this.#scaling.remove(label);
  }

  sent(
    engine: Engine,
    { promptTokens, session }: { promptTokens: number; session?: string | undefined },
  ): RequestTicket {
    const now = this.#now();
    this.#reservations.sent(engine.label, promptTokens, now);
    const outlook = this.engine(engine);
    // The session may have gone to another engine than was picked for it.
    this.#routing.served({ promptTokens, session }, { engine, predictor: outlook.predictor }, now);
    return outlook.sent(promptTokens);
  }

  /** Of engines that can serve, at least one. */
  admit(request: AdmissionRequest, engines: readonly Engine[]): FleetAdmission {
    const now = this.#now();
    const candidates = this.#candidates(engines, now);
    const answer = this.#rule.admit(request, candidates, now);
    const { promptTokens, ttftSloMs, session } = request;
    this.#objectiveMs = ttftSloMs;
    this.#admissions.asked++;
    const withheld = answer.admitted ? null : this.#withheld(answer);
    if (!answer.admitted && withheld === null) {
      this.#admissions.refused++;
      this.#scaling.refused();
      return answer;
    }
    const engine = answer.admitted ? answer.engine : this.#routing.pick({ promptTokens, session }, candidates, now);
    const ttft = answer.admitted ? answer.ttft : predictorOf(candidates, engine).predict(promptTokens, now);
    this.#reservations.add({ engine: engine.label, promptTokens, by: 'admit', at: now });
    return { admitted: true, engine, ttft, withheld };
  }

  /** Of engines that can serve, at least one. */
  choose({ session, promptTokens, factor }: RoutingQuestion, engines: readonly Engine[]): RoutedChoice {
    const now = this.#now();
    const costed = this.#candidates(engines, now).map((one) => {
      const weight = factor(one.engine);
      const fresh = weight * this.#routing.cost({ promptTokens }, one, now);
      const cost = session === undefined ? fresh : weight * this.#routing.cost({ promptTokens, session }, one, now);
      return { one, cost, isHome: cost < fresh };
    });
    const best = costed.reduce((a, b) => {
      const isBusier = b.one.predictor.inFlight >= a.one.predictor.inFlight;
      return b.cost < a.cost || (b.cost === a.cost && !isBusier) ? b : a;
    });
    const { engine, predictor } = best.one;
    this.#routing.served({ promptTokens, session }, best.one, now);
    const own = tokensOf(promptTokens, predictor);
    const ttft = predictor.predict(own, now);
    this.#reservations.add({ engine: engine.label, promptTokens: own, by: 'pick', at: now });
    const hasHome = costed.some(({ isHome }) => isHome);
    const reason = costed.length === 1 ? 'only' : best.isHome ? 'session' : hasHome ? 'moved' : 'cheapest';
    return { engine, reason, cost: best.cost, ttft };
  }

  /** An engine was observed; `figures` null where it could not be read. */
  observe(label: string, figures: EngineMetrics | null, readSeconds: number, rates: Rates | null): void {
    const engine = this.#engines.get(label);
    if (engine === undefined) return;
    this.#scaling.observe(label, figures, readSeconds, rates?.arrivalsPerSecond ?? null);
    if (figures !== null) engine.observe(figures, readSeconds, rates?.interTokenSeconds?.mean ?? null);
  }

  scaleHint(options: ScaleHintOptions | undefined): ScaleHint {
    return this.#scaling.hint(options);
  }

  close(): void {
    for (const engine of this.#engines.values()) engine.close();
  }

  #candidates(engines: readonly Engine[], now: number): Candidate[] {
    return engines.map((engine) => {
      const { predictor } = this.engine(engine);
      return { engine, predictor: new ReservedPredictor(predictor, this.#reservations.of(engine.label, now)) };
    });
  }

  #withheld({ retryAfterMs, reason }: Refusal): WithheldRefusal | null {
    const why = this.#admission === 'advisory' ? 'advisory' : this.skill.better ? null : 'skill';
    if (why === null) return null;
    this.#admissions.withheld[why]++;
    return { why, retryAfterMs, reason };
  }

  #observed(engine: EngineOutlook, request: JudgedRequest, observedMs: number): void {
    const { prediction, persistenceMs, objectiveMs, overLimit, queuedTokens } = request;
    const { ms: predictedMs, p90Ms } = prediction;
    const outcome = { predictedMs, p90Ms, persistenceMs, observedMs, objectiveMs, overLimit };
    const now = this.#now();
    this.#skill.add(outcome, now);
    engine.skillWindow.add(outcome, now);
    if (objectiveMs !== null) this.#limit.add(queuedTokens, observedMs > objectiveMs);
  }
}

interface Candidate {
  engine: Engine;
  predictor: ReservedPredictor;
}

function predictorOf(candidates: readonly Candidate[], engine: Engine): ReservedPredictor {
  return candidates.find((one) => one.engine === engine)!.predictor;
}
