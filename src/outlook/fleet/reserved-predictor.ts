/**
 * A predictor of an engine that has been named for requests that were not sent yet: their tokens stand before the next one's.
 */
import type { TtftPrediction, TtftPredictor } from '../prediction/index.js';
import type { AskedPredictor } from '../rules/index.js';

export class ReservedPredictor implements AskedPredictor {
  constructor(
    private readonly predictor: TtftPredictor,
    private readonly reserved: { requests: number; promptTokens: number },
  ) {}

  get kvUsage(): number | null {
    return this.predictor.kvUsage;
  }

  get lostKvShare(): number {
    return this.predictor.lostKvShare;
  }

  get inFlight(): number {
    return this.predictor.inFlight + this.reserved.requests;
  }

  get meanPromptTokens(): number | null {
    return this.predictor.meanPromptTokens;
  }

  predict(promptTokens: number, nowSeconds: number): TtftPrediction {
    return this.predictor.predict(promptTokens + this.reserved.promptTokens, nowSeconds);
  }

  physicsSeconds(promptTokens: number, nowSeconds: number): number {
    return this.predictor.physicsSeconds(promptTokens + this.reserved.promptTokens, nowSeconds);
  }
}
