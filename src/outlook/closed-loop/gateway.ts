/** Which engine a policy sends a request to, if any. */
import { argumentError, rangeError } from '../../errors/index.js';
import type { Arrival } from '../../simulator/index.js';
import { AdmissionRule, RoutingRule } from '../rules/index.js';
import type { LoopEngine } from './loop-engine.js';
import type { CheckedOptions, ClosedLoopRequest } from './options.js';
import { oracleSeconds } from './oracle.js';

/** Share of the limit that it may use, as AdmissionRule: what comes later makes its steps longer. */
const ORACLE_MARGIN = 0.85;

type Decide = (
  request: ClosedLoopRequest,
  arrival: Arrival,
  open: readonly LoopEngine[],
  now: number,
) => LoopEngine | null;

export class Gateway {
  readonly #engines: readonly LoopEngine[];
  readonly #routing = new RoutingRule();
  readonly #admission = new AdmissionRule(this.#routing);
  readonly #decide: Decide;
  readonly #sloMs: number;
  #turn = 0;

  constructor(engines: readonly LoopEngine[], { policy, sloMs }: Pick<CheckedOptions, 'policy' | 'sloMs'>) {
    this.#engines = engines;
    this.#sloMs = sloMs;
    this.#decide = this.#decision(policy);
  }

  /** The engine for a request; null where it is rejected. An engine that cannot serve is chosen only where none can. */
  decide(request: ClosedLoopRequest, arrival: Arrival, now: number): LoopEngine | null {
    const open = this.#engines.filter((engine) => engine.canServe);
    return this.#decide(request, arrival, open.length > 0 ? open : this.#engines, now);
  }

  /** Each engine in turn. */
  next(engines: readonly LoopEngine[] = this.#engines): LoopEngine {
    return engines[this.#turn++ % engines.length]!;
  }

  #decision({ admit, pick }: CheckedOptions['policy']): Decide {
    const choose = this.#choice(pick);
    const own = typeof pick === 'function' ? choose : null;
    if (admit === undefined) return choose;
    if (admit === true) return this.#byRule(own);
    if (admit === 'oracle') return this.#byOracle(own);
    return (request, arrival, open, now) => {
      const engine = choose(request, arrival, open, now)!;
      const answer: unknown = (admit as (...given: unknown[]) => unknown)(request, [engine], now);
      if (typeof answer !== 'boolean') throw argumentError('true or false', 'what policy.admit returned', answer);
      return answer ? engine : null;
    };
  }

  #choice(pick: CheckedOptions['policy']['pick']): Decide {
    if (pick === undefined) return (_request, _arrival, open) => this.next(open);
    if (pick === true)
      return ({ promptTokens }, _arrival, open, now) => this.#routing.pick({ promptTokens }, candidates(open), now);
    return (request, _arrival, open, now) => {
      const index: unknown = (pick as (...given: unknown[]) => unknown)(request, open, now);
      if (typeof index !== 'number') throw argumentError('the index of an engine', 'what policy.pick returned', index);
      const engine = open.find((one) => one.index === index);
      if (engine === undefined)
        throw rangeError('the index of one of the engines given', 'what policy.pick returned', index);
      return engine;
    };
  }

  #byRule(choose: Decide | null): Decide {
    return (request, arrival, open, now) => {
      const among = choose === null ? open : [choose(request, arrival, open, now)!];
      const { promptTokens } = request;
      const answer = this.#admission.admit({ promptTokens, ttftSloMs: this.#sloMs }, candidates(among), now);
      return answer.admitted ? answer.engine : null;
    };
  }

  #byOracle(choose: Decide | null): Decide {
    const limit = (ORACLE_MARGIN * this.#sloMs) / 1000;
    return (request, arrival, open, now) => {
      const among = choose === null ? open : [choose(request, arrival, open, now)!];
      const seconds = among.map(({ core }) => oracleSeconds(core, arrival, now, limit));
      const least = Math.min(...seconds);
      return least <= limit ? among[seconds.indexOf(least)]! : null;
    };
  }
}

function candidates(engines: readonly LoopEngine[]) {
  return engines.map((engine) => ({ engine, predictor: engine.predictor }));
}
