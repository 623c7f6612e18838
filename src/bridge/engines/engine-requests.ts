/**
 * What callers ask and say of their requests: which engine takes one, whether it is taken, that it was sent, that its first token
 * came, how it ended.
 *
 * A ticket is an event of the outlook too: dispatch, first token and finish teach the predictor of the engine. A ticket that
 * ends without a finish teaches nothing.
 */
import type { Engine } from '../../engine/index.js';
import type {
  Fleet,
  OutlookSkill,
  RequestTicket,
  ScaleHint,
  ScaleHintOptions,
  TtftPrediction,
} from '../../outlook/index.js';
import { BridgeError, ID_PATTERN } from '../messages/index.js';
import type {
  AdmitAnswer,
  AdmitRequest,
  DispatchRequest,
  FinishRequest,
  OutlookAnswer,
  OutlookItem,
  PickAnswer,
  PickRequest,
  TicketAnswer,
} from './contracts.js';
import type { EngineGauges } from './engine-gauges.js';
import { type ExpectedLatency, meetsObjectives, objectivesFactor } from './objectives.js';
import { orcaLoad } from './orca.js';
import { pickReason } from './pick-reason.js';
import type { Ticket, TicketBook } from './tickets.js';
import type { WatchedEngine } from './watched-engine.js';

/** Where no engine says how long its prompts are. */
const PROMPT_TOKENS = 500;

export interface EngineRequestsOptions {
  fleet: Fleet;
  tickets: TicketBook;
  gauges: EngineGauges;
  /** The engines that are there now. */
  engines: () => readonly WatchedEngine[];
}

/** A ticket as the outlook knows it. */
interface Told {
  request: RequestTicket;
  predictedSeconds: number;
}

export class EngineRequests {
  readonly #fleet: Fleet;
  readonly #tickets: TicketBook;
  readonly #gauges: EngineGauges;
  readonly #engines: () => readonly WatchedEngine[];
  readonly #told = new WeakMap<Ticket, Told>();

  constructor({ fleet, tickets, gauges, engines }: EngineRequestsOptions) {
    this.#fleet = fleet;
    this.#tickets = tickets;
    this.#gauges = gauges;
    this.#engines = engines;
  }

  /** The engine for the next request. */
  pick({ session, promptTokens, ...objectives }: PickRequest = {}): PickAnswer {
    const watched = this.#serving();
    for (const { name, named } of watched.values()) this.#fleet.sent(named.engine, this.#tickets.lately(name));
    const expected = (engine: Engine) => this.#expected(watched.get(engine)!, promptTokens);
    const isAsked = objectives.sloTtftMs !== undefined || objectives.sloTpotMs !== undefined;
    const factor = isAsked ? (engine: Engine) => objectivesFactor(expected(engine), objectives) : undefined;
    const choice = this.#fleet.choose({ session, promptTokens, factor });
    const engine = watched.get(choice.engine)!;
    // With what was picked for it lately, which a prediction of its own would not count.
    const latency =
      choice.ttft === undefined
        ? expected(choice.engine)
        : { ...engine.expected, ttftSeconds: choice.ttft.p90Ms / 1000 };
    const meetsSlo = meetsObjectives(latency, objectives);
    return {
      ...placeOf(engine),
      reason: pickReason(choice, engine.stateName, meetsSlo),
      rule: choice.reason,
      cost: choice.cost,
      candidates: choice.candidates,
      expected: latency,
      meetsSlo,
      ttft: choice.ttft ?? null,
    };
  }

  /** Whether a request is taken. */
  admit(request: AdmitRequest): AdmitAnswer {
    const watched = this.#serving();
    const mode = this.#fleet.outlook!.admission;
    const answer = this.#fleet.admit(request);
    if (!answer.admitted) {
      this.#gauges.admission('refused');
      return { ...answer, mode };
    }
    const { ttft, withheld } = answer;
    this.#gauges.admission(withheld === null ? 'admitted' : `withheld_${withheld.why}`);
    return { admitted: true, ...placeOf(watched.get(answer.engine)!), ttft, withheld, mode };
  }

  /** Records that a request was sent to an engine. */
  dispatch({ engine, promptTokens, session, ticket: id, caller = '' }: DispatchRequest): { ticket: string } {
    const found = this.#engines().find(({ name }) => name === engine);
    if (found === undefined) throw new BridgeError('not_found', 'No engine has this name');
    if (id !== undefined && !ID_PATTERN.test(id)) {
      throw new BridgeError('malformed', 'Expected a ticket of 1 to 128 of A-Z a-z 0-9 . _ : -');
    }
    const ticket = this.#tickets.dispatch({ engine, caller, id, promptTokens });
    if (!this.#told.has(ticket) && !ticket.closed) {
      const own = { promptTokens: promptTokens ?? this.#meanPrompt(found) };
      const { ms } = this.#fleet.predictTtft(found.named.engine, own);
      const request = this.#fleet.sent(found.named.engine, { ...own, session });
      this.#told.set(ticket, { request, predictedSeconds: ms / 1000 });
    }
    return { ticket: ticket.id };
  }

  /** Records that the first token of a request came. */
  firstToken({ ticket: id }: { ticket: string }): TicketAnswer {
    const found = this.#tickets.firstToken(id);
    if (!found?.isNew) return { known: found !== null };
    const { ticket } = found;
    const told = this.#told.get(ticket);
    told?.request.firstToken();
    const engine = this.#engines().find(({ name }) => name === ticket.engine);
    if (engine !== undefined) {
      const observed = (ticket.firstTokenAt! - ticket.openedAt) / 1000;
      this.#gauges.firstToken(ticket.engine, observed, told?.predictedSeconds ?? null);
      if (told !== undefined) engine.firstToken(told.predictedSeconds, observed);
    }
    return { known: true };
  }

  /** Records that a request ended; repeated calls change nothing. */
  finish({ ticket: id, outcome, generatedTokens = 0, orca }: FinishRequest): TicketAnswer {
    const found = this.#tickets.finish(id);
    if (found === null) return { known: false };
    if (!found.isNew) return { known: true };
    const { ticket } = found;
    const request = this.#told.get(ticket)?.request;
    const isAnswered = outcome !== 'error' && outcome !== 'aborted';
    if (isAnswered) request?.finished({ generatedTokens });
    else request?.failed();
    const engine = this.#engines().find(({ name }) => name === ticket.engine);
    if (engine === undefined) return { known: true };
    this.#gauges.finished(engine.name, outcome, generatedTokens);
    const load = orca === undefined ? null : orcaLoad(orca);
    if (load !== null) this.#fleet.report(engine.named.engine, load);
    return { known: true };
  }

  /** What is expected of each engine for a prompt of so many tokens; of its mean prompt without a number. */
  outlook(promptTokens?: number): OutlookAnswer {
    const outlook = this.#fleet.outlook!;
    const { asked, refused, withheld } = outlook.admissions;
    return {
      items: this.#engines().map((engine) => this.#outlookOf(engine, promptTokens)),
      skill: outlook.skill,
      admission: { mode: outlook.admission, asked, refused, withheld },
    };
  }

  /** How many engines to have. */
  scaleHint(options: ScaleHintOptions): ScaleHint & { engines: number } {
    const engines = this.#engines().filter(({ serves }) => serves).length;
    return { ...this.#fleet.scaleHint(options), engines };
  }

  /** Skill of the predictions of an engine, for its metrics. */
  skill(engine: WatchedEngine): OutlookSkill {
    return this.#fleet.outlook!.skillOf(engine.named.engine);
  }

  #outlookOf(engine: WatchedEngine, given: number | undefined): OutlookItem {
    const promptTokens = given ?? this.#meanPrompt(engine);
    const { tickets, promptTokens: ticketPromptTokens } = this.#tickets.work(engine.name);
    const ttft = this.#predicted(engine, promptTokens);
    const state = engine.stateName;
    const { name, anomalies } = engine;
    const { alarmsPerDay } = engine.anomalyCounts;
    const work = { tickets, ticketPromptTokens };
    return { engine: name, state, promptTokens, ttft, ...work, skill: this.skill(engine), anomalies, alarmsPerDay };
  }

  #predicted(engine: WatchedEngine, promptTokens: number): TtftPrediction {
    return this.#fleet.predictTtft(engine.named.engine, { promptTokens });
  }

  /** The 90th percentiles: predicted for this request where callers report theirs, else observed lately. */
  #expected(engine: WatchedEngine, promptTokens: number | undefined): ExpectedLatency {
    if (!this.#fleet.outlook!.informed) return engine.expected;
    const { p90Ms } = this.#predicted(engine, promptTokens ?? this.#meanPrompt(engine));
    return { ...engine.expected, ttftSeconds: p90Ms / 1000 };
  }

  #meanPrompt({ figures }: WatchedEngine): number {
    const { promptTokens = null, requestsTotal = null } = figures ?? {};
    const isKnown = promptTokens !== null && requestsTotal !== null && requestsTotal > 0;
    return isKnown ? Math.round(promptTokens / requestsTotal) : PROMPT_TOKENS;
  }

  /** The engines by what the fleet calls them. Errors: BridgeError no_engine where none can serve. */
  #serving(): Map<Engine, WatchedEngine> {
    const engines = this.#engines();
    if (!engines.some(({ serves }) => serves)) throw noEngine(engines);
    return new Map(engines.map((engine) => [engine.named.engine, engine]));
  }
}

function placeOf({ name, named, kind }: WatchedEngine) {
  return { engine: name, url: named.url, kind, simulated: named.engine.simulated };
}

function noEngine(engines: readonly WatchedEngine[]): BridgeError {
  const states = engines.slice(0, 8).map(({ name, stateName }) => `${name} is ${stateName}`);
  const more = engines.length > 8 ? ` and ${engines.length - 8} more` : '';
  const why = states.length === 0 ? 'none is known' : `${states.join(', ')}${more}`;
  return new BridgeError('no_engine', `No engine can serve: ${why}`, { retryAfterSeconds: 1 });
}
