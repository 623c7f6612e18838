/**
 * Replicas in closed loop, in virtual time: engine cores of the simulator that a policy starts and stops.
 *
 * A replica serves `startupSeconds` after its start and is paid from its start to its end. One too many is stopped at once where it
 * has not served yet; else it takes no more requests and ends when its last one has. A request goes to the replica with the least
 * 4 waiting + running. Share within the SLO: requests whose first token came in time, of all that came.
 */
import { stationary } from './day-load.mjs';
import { EngineCore } from './sources.mjs';

const ENGINE = { maxModelLen: 8192, maxNumSeqs: 64, maxBatchedTokens: 2048, kvBlocks: 5120, blockSize: 16 };
export const DECISION_SECONDS = 10;

/**
 * `desired(time)`: how many replicas to have, asked every 10 s; `observe(time, replicas)`: a look at those that serve, each second;
 * `arrivals` begin at `from`.
 */
export function replicaLoop({
  arrivals,
  from,
  to,
  desired,
  observe = () => {},
  startupSeconds = 60,
  most = 6,
  sloSeconds = 2,
}) {
  const pool = new Pool({ startupSeconds, most });
  let [within, paid, next] = [0, 0, 0];
  pool.begin(from, desired(from));
  for (let time = from + 1; time <= to; time++) {
    for (; next < arrivals.length && arrivals[next].time <= time; next++) {
      const arrival = arrivals[next];
      pool.submit(arrival, (seconds) => {
        if (seconds <= sloSeconds) within++;
      });
    }
    pool.advanceTo(time);
    paid += pool.count;
    observe(time, pool.serving(time));
    if (time % DECISION_SECONDS === 0) pool.resize(desired(time), time);
  }
  // The last requests end unpaid: equal for every policy.
  pool.advanceTo(to + 120);
  return { replicaSeconds: paid, replicas: paid / (to - from), within: within / next, requests: next };
}

/** Requests a second that one engine serves of a flood, over half an hour. */
export function floodThroughput(trace) {
  const core = new EngineCore(ENGINE, 0);
  const source = stationary({ trace, rate: 20, seed: 1 });
  const seconds = 1800;
  for (let next = source.next().value; next.time <= seconds; next = source.next().value) {
    core.advanceTo(next.time);
    core.submit({ ...next, patience: Number.POSITIVE_INFINITY });
  }
  core.advanceTo(seconds);
  const { stop, length, abort } = core.statistics.finished;
  return (stop + length + abort) / seconds;
}

class Pool {
  replicas = [];

  constructor({ startupSeconds, most }) {
    this.startupSeconds = startupSeconds;
    this.most = most;
  }

  get count() {
    return this.replicas.length;
  }

  /** Those that may be sent requests. */
  serving(time) {
    return this.replicas.filter(({ readyAt, draining }) => readyAt <= time && !draining);
  }

  begin(time, count) {
    for (let i = 0; i < Math.min(this.most, count); i++) this.start(time, time);
  }

  start(time, readyAt) {
    this.replicas.push({ core: new EngineCore(ENGINE, time), readyAt, draining: false });
  }

  advanceTo(time) {
    for (const { core } of this.replicas) core.advanceTo(time);
    this.replicas = this.replicas.filter(({ core, draining }) => !draining || core.running + core.waiting > 0);
  }

  submit(arrival, firstToken) {
    const candidates = this.serving(arrival.time);
    for (const { core } of candidates) core.advanceTo(arrival.time);
    const load = ({ core }) => 4 * core.waiting + core.running;
    const best = candidates.reduce((a, b) => (load(b) < load(a) ? b : a));
    const { core } = best;
    let first = true;
    core.submit(arrival, {
      token() {
        if (first) firstToken(core.clock - arrival.time);
        first = false;
      },
      end() {},
    });
  }

  resize(wanted, time) {
    const target = Math.max(1, Math.min(this.most, wanted));
    const active = this.replicas.filter(({ draining }) => !draining);
    for (let i = active.length; i < target; i++) {
      const drained = this.replicas.find(({ draining }) => draining);
      if (drained) drained.draining = false;
      else this.start(time, time + this.startupSeconds);
    }
    const spare = active.toSorted((a, b) => b.readyAt - a.readyAt || a.core.running - b.core.running);
    for (const replica of spare.slice(0, Math.max(0, active.length - target))) {
      if (replica.readyAt > time) this.replicas.splice(this.replicas.indexOf(replica), 1);
      else if (this.serving(time).length > 1) replica.draining = true;
    }
  }
}
