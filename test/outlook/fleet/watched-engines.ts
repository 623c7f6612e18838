/** Engines in memory whose figures a test sets, watched by a fleet on a clock that stands still until it is moved. */
import { type Engine, EngineError } from '../../../src/engine/index.js';
import { Fleet, type FleetOptions } from '../../../src/outlook/index.js';
import { ManualClock } from '../../manual-clock.js';

export interface Face {
  running: number;
  waiting: number;
  usage: number;
  /** Steps counted; one more at each scrape, unless it is still. */
  steps: number;
  still: boolean;
  /** Unix seconds at which the process began. */
  began: number;
  dead: boolean;
}

export interface MemoryEngine {
  face: Face;
  self: Engine;
}

export function engine(label: string, given: Partial<Face> = {}): MemoryEngine {
  const face: Face = { running: 0, waiting: 0, usage: 0, steps: 0, still: false, began: 1000, dead: false, ...given };
  const text = () =>
    `vllm:num_requests_running ${face.running}\nvllm:num_requests_waiting ${face.waiting}\nvllm:kv_cache_usage_perc ${face.usage}\n` +
    `vllm:cache_config_info{block_size="16",num_gpu_blocks="4000"} 1\nprocess_start_time_seconds ${face.began}\n` +
    `# TYPE vllm:iteration_tokens_total histogram\nvllm:iteration_tokens_total_bucket{le="+Inf"} ${face.steps}\nvllm:iteration_tokens_total_count ${face.steps}\nvllm:iteration_tokens_total_sum ${face.steps}\n`;
  const answer = async <T>(value: T): Promise<T> => {
    if (face.dead) throw new EngineError('ERR_DTESN_ENGINE_REFUSED', 'nothing listens');
    return value;
  };
  const metrics = () => {
    if (!face.still) face.steps++;
    return answer(Buffer.from(text()));
  };
  const self = { label, metrics, health: () => answer(undefined) };
  return { face, self: self as unknown as Engine };
}

export interface WatchedFleet {
  clock: ManualClock;
  fleet: Fleet;
}

export async function watched(engines: MemoryEngine[], options: FleetOptions = {}): Promise<WatchedFleet> {
  const clock = new ManualClock(turns);
  const fleet = new Fleet(
    engines.map(({ self }) => self),
    { clock, outlook: true, ...options },
  );
  await fleet.observed();
  await clock.pass(10);
  return { clock, fleet };
}

/** An observation takes several turns of the event loop. */
async function turns(): Promise<void> {
  for (let i = 0; i < 6; i++) await new Promise((turn) => setImmediate(turn));
}

/** Sends a request whose first token comes after `ms`, and ends it. */
export async function answered({ clock, fleet }: WatchedFleet, label: string, promptTokens: number, ms: number) {
  const ticket = fleet.sent(label, { promptTokens });
  await clock.pass(ms);
  ticket.firstToken();
  ticket.finished({ generatedTokens: 10 });
}
