/**
 * A closed loop in virtual time: requests come, the gateway decides, the engines step, and what they say comes back.
 *
 * At one moment faults come first, then the steps of the engines, clients that leave, scrapes and arrivals. The run ends when
 * it is known of every request whether it had a first token in time, which is at most PATIENCE_SECONDS after the last arrival.
 */
import { setImmediate } from 'node:timers/promises';
import { type Arrival, type EngineRequest, PATIENCE_SECONDS } from '../../simulator/index.js';
import type { RequestEvents } from '../prediction/index.js';
import type { Gateway } from './gateway.js';
import type { LoopEngine } from './loop-engine.js';
import type { ClosedLoopOutcome, ClosedLoopRequest } from './options.js';

const SCRAPE_SECONDS = 1;
/** Events between two turns of the event loop. */
const EVENTS_OF_A_TURN = 4000;

/** A request at an engine. */
interface Placed {
  request: ClosedLoopRequest;
  engine: LoopEngine;
  sentAt: number;
  /** Null where the gateway did not see it. */
  events: RequestEvents | null;
  /** Undefined only while it is handed over. */
  inside?: EngineRequest;
  isKnown: boolean;
  hasToken: boolean;
  hasEnded: boolean;
}

export interface LoopRunOptions {
  arrivals: readonly Arrival[];
  engines: readonly LoopEngine[];
  gateway: Gateway;
  /** Of the next request: whether it passes the gateway. */
  isVisible: () => boolean;
  onOutcome: (outcome: ClosedLoopOutcome) => void;
  /** Called at each turn of the event loop, with the requests that came. */
  onTurn: (done: number) => void;
}

export class LoopRun {
  readonly #options: LoopRunOptions;
  #now = 0;
  #arrived = 0;
  #open = 0;
  #nextScrape = 0;
  /** In the order in which they were sent; those before `#leaving` are known. */
  readonly #placed: Placed[] = [];
  #leaving = 0;

  constructor(options: LoopRunOptions) {
    this.#options = options;
  }

  /** Virtual seconds of the whole run. */
  async run(): Promise<number> {
    const { arrivals, onTurn } = this.#options;
    for (let events = 1; this.#arrived < arrivals.length || this.#open > 0; events++) {
      this.#step();
      if (events % EVENTS_OF_A_TURN !== 0) continue;
      await setImmediate();
      onTurn(this.#arrived);
    }
    onTurn(this.#arrived);
    return this.#now;
  }

  /** Moves to the next event and lets it happen. */
  #step(): void {
    const { engines, arrivals } = this.#options;
    const arrival = arrivals[this.#arrived];
    const leaves = this.#nextLeave();
    let now = Math.min(this.#nextScrape, arrival?.time ?? Number.POSITIVE_INFINITY, leaves);
    for (const engine of engines) now = Math.min(now, engine.core.nextEvent, engine.nextFault);
    this.#now = Math.max(now, this.#now);
    for (const engine of engines) {
      engine.core.advanceTo(this.#now);
      if (engine.nextFault <= this.#now) engine.crossFaults(this.#now);
    }
    if (leaves <= this.#now) this.#leave(this.#placed[this.#leaving]!);
    else if (this.#nextScrape <= this.#now) this.#scrape();
    else if (arrival !== undefined && arrival.time <= this.#now) this.#arrive(arrival);
  }

  #scrape(): void {
    for (const engine of this.#options.engines) engine.scrape(this.#now);
    this.#nextScrape += SCRAPE_SECONDS;
  }

  #arrive(arrival: Arrival): void {
    const { gateway, isVisible } = this.#options;
    const request: ClosedLoopRequest = { promptTokens: arrival.prompt, index: this.#arrived++ };
    const visible = isVisible();
    const engine = visible ? gateway.decide(request, arrival, this.#now) : gateway.next();
    if (engine === null) {
      this.#options.onOutcome({ request, engine: null, visible, ttftSeconds: null, atSeconds: this.#now });
      return;
    }
    const events = visible ? engine.predictor.sent(arrival.prompt, this.#now) : null;
    const placed: Placed = {
      request,
      engine,
      sentAt: this.#now,
      events,
      isKnown: false,
      hasToken: false,
      hasEnded: false,
    };
    this.#open++;
    this.#count(placed, 1);
    if (engine.refuses) {
      this.#end(placed, false);
      return;
    }
    this.#placed.push(placed);
    const listener = {
      token: () => this.#token(placed),
      end: (reason: string) => this.#end(placed, reason === 'stop' || reason === 'length'),
    };
    placed.inside = engine.core.submit({ ...arrival, time: this.#now }, listener);
  }

  #token(placed: Placed): void {
    if (placed.hasToken || placed.hasEnded) return;
    placed.hasToken = true;
    this.#uncountWaiting(placed);
    placed.events?.firstToken(this.#now);
    this.#know(placed, this.#now - placed.sentAt);
  }

  #end(placed: Placed, isWell: boolean): void {
    if (placed.hasEnded) return;
    placed.hasEnded = true;
    if (isWell) placed.events?.finished({ generatedTokens: placed.inside!.generated }, this.#now);
    else placed.events?.failed(this.#now);
    this.#count(placed, -1);
    if (!placed.hasToken) this.#uncountWaiting(placed);
    this.#know(placed, null);
  }

  /** A client goes away that had no token for too long. */
  #leave(placed: Placed): void {
    const { engine, inside } = placed;
    this.#end(placed, false);
    engine.core.cancel(inside!);
  }

  #know(placed: Placed, ttftSeconds: number | null): void {
    if (placed.isKnown) return;
    placed.isKnown = true;
    this.#open--;
    const { request, engine, events } = placed;
    const outcome = { request, engine: engine.index, visible: events !== null, ttftSeconds, atSeconds: this.#now };
    this.#options.onOutcome(outcome);
  }

  #count({ engine, request, events }: Placed, change: 1 | -1): void {
    if (events === null) return;
    engine.inFlight += change;
    if (change < 0) return;
    engine.sentRequests++;
    engine.waitingRequests++;
    engine.waitingTokens += request.promptTokens;
  }

  #uncountWaiting({ engine, request, events }: Placed): void {
    if (events === null) return;
    engine.waitingRequests--;
    engine.waitingTokens -= request.promptTokens;
  }

  /** When the next client goes away. */
  #nextLeave(): number {
    while (this.#placed[this.#leaving]?.isKnown) this.#leaving++;
    const next = this.#placed[this.#leaving];
    return next === undefined ? Number.POSITIVE_INFINITY : next.sentAt + PATIENCE_SECONDS;
  }
}
