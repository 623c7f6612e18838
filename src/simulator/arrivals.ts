/**
 * Bursty synthetic arrivals: a Poisson process whose rate is switched between calm and burst by a two-state Markov
 * chain (Markov-modulated Poisson process).
 *
 *     rate = calm rate r, or burst rate BURST_FACTOR r;   r chosen so that the mean over both states is `rate`
 *     lengths: log-normal, fitted to median and 99th percentile of the Azure LLM inference trace 2023 (conversations)
 *
 * Units: seconds, requests per second, tokens.
 * Source: Azure LLM inference trace 2023 (CC-BY 4.0; Patel et al., "Splitwise", ISCA 2024).
 */
import type { RandomStream } from './random-stream.js';

/** What a client asks for, and where its answer will end. */
export interface Arrival {
  /** Virtual time of arrival, seconds. */
  time: number;
  prompt: number;
  /** Leading prompt tokens that the prefix cache holds already; below `prompt`. */
  cached: number;
  maxTokens: number;
  /** Tokens after which the request ends, for `reason`. */
  output: number;
  reason: 'stop' | 'length' | 'abort';
  /** Seconds in the queue after which the client leaves; Infinity for one that waits. */
  patience: number;
}

/** Where arrivals come from: times never decrease, null is the end. */
export interface ArrivalSource {
  next(): Arrival | null;
}

/** How long clients wait in the queue, seconds. */
export const PATIENCE_SECONDS = 60;

const CALM_SECONDS = 20;
const BURST_SECONDS = 5;
const BURST_FACTOR = 4;
/** ln(99th percentile / median) / 2.326 of the trace: 1020 and 4142 prompt tokens, 129 and 601 generated ones. */
const PROMPT = { median: 1020, sigma: Math.log(4142 / 1020) / 2.326 };
const OUTPUT = { median: 129, sigma: Math.log(601 / 129) / 2.326 };
const MAX_TOKENS = [256, 512, 1024];
const CACHE_HIT_CHANCE = 0.3;
const ABORT_CHANCE = 0.01;

export const meanPromptTokens = PROMPT.median * Math.exp(PROMPT.sigma ** 2 / 2);
export const meanOutputTokens = OUTPUT.median * Math.exp(OUTPUT.sigma ** 2 / 2);

/** Tokens after which an answer ends by itself. */
export function drawOutputTokens(random: RandomStream): number {
  return Math.max(1, Math.round(random.logNormal(OUTPUT.median, OUTPUT.sigma)));
}

export class BurstyArrivals implements ArrivalSource {
  private readonly calmRate: number;
  private bursting = false;
  private time = 0;
  private switchAt: number;

  constructor(
    private readonly random: RandomStream,
    rate: number,
    private readonly maxModelLen: number,
    private readonly blockSize: number,
  ) {
    this.calmRate = (rate * (CALM_SECONDS + BURST_SECONDS)) / (CALM_SECONDS + BURST_FACTOR * BURST_SECONDS);
    this.switchAt = random.exponential(CALM_SECONDS);
  }

  /** The next arrival; times never decrease. */
  next(): Arrival {
    // Memorylessness: a gap that crosses a switch of state is drawn again from the switch on.
    for (;;) {
      const rate = this.calmRate * (this.bursting ? BURST_FACTOR : 1);
      const time = this.time + this.random.exponential(1 / rate);
      if (time < this.switchAt) {
        this.time = time;
        return this.request(time);
      }
      this.time = this.switchAt;
      this.bursting = !this.bursting;
      this.switchAt += this.random.exponential(this.bursting ? BURST_SECONDS : CALM_SECONDS);
    }
  }

  private request(time: number): Arrival {
    const { random, maxModelLen, blockSize } = this;
    const drawn = Math.max(1, Math.round(random.logNormal(PROMPT.median, PROMPT.sigma)));
    const prompt = Math.min(drawn, maxModelLen - 1);
    const wanted = Math.min(drawOutputTokens(random), maxModelLen);
    const maxTokens = Math.min(MAX_TOKENS[random.bits() % MAX_TOKENS.length]!, maxModelLen - prompt);
    const hit = random.uniform() < CACHE_HIT_CHANCE ? random.uniform() : 0;
    // At least one prompt token is always computed, and the cache holds whole blocks.
    const cached = Math.floor((hit * (prompt - 1)) / blockSize) * blockSize;
    const output = Math.min(wanted, maxTokens);
    const reason = wanted > maxTokens ? 'length' : 'stop';
    const request: Arrival = { time, prompt, cached, maxTokens, output, reason, patience: PATIENCE_SECONDS };
    if (random.uniform() < ABORT_CHANCE) {
      return { ...request, output: 1 + (random.bits() % output), reason: 'abort' };
    }
    return request;
  }
}
