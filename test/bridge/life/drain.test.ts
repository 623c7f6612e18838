import { describe, expect, test } from 'vitest';
import { Drain, type DrainSteps } from '../../../src/bridge/life/index.js';
import { ManualClock } from '../../manual-clock.js';
import { RecordingLogger } from './recording-logger.js';

const forever = () => new Promise<void>(() => {});

/** A bridge that notes what is done to it, and when. */
class Bridge implements DrainSteps {
  readonly clock = new ManualClock();
  readonly log = new RecordingLogger();
  readonly done: [what: string, ms: number][] = [];
  readonly drain = new Drain({ steps: this, log: this.log, clock: this.clock });
  open = 0;
  work = async () => {};
  journal = async () => {};

  readinessOff() {
    this.#note('readiness off');
  }
  connections() {
    return this.open;
  }
  endWork() {
    this.#note('end work');
    return this.work();
  }
  commit() {
    this.#note('commit');
    return this.journal();
  }
  exit(code: number) {
    this.#note(`exit ${code}`);
  }
  #note(what: string) {
    this.done.push([what, this.clock.now()]);
  }
}

describe('Drain', () => {
  test('without connections it goes through all phases at once and exits with 0', async () => {
    const bridge = new Bridge();
    await bridge.drain.take('SIGTERM');
    expect(bridge.done).toEqual([
      ['readiness off', 0],
      ['end work', 0],
      ['commit', 0],
      ['exit 0', 0],
    ]);
    expect(bridge.drain.phase).toBe('exit');
  });

  test('settles for five seconds while connections are open', async () => {
    const bridge = new Bridge();
    bridge.open = 2;
    const ended = bridge.drain.take('SIGTERM');
    await bridge.clock.pass(4900);
    expect(bridge.drain.phase).toBe('settle');
    await bridge.clock.pass(200);
    await ended;
    expect(bridge.done.slice(1)).toEqual([
      ['end work', 5000],
      ['commit', 5000],
      ['exit 0', 5000],
    ]);
  });

  test('stops to settle when the last connection ends', async () => {
    const bridge = new Bridge();
    bridge.open = 1;
    const ended = bridge.drain.take('SIGINT');
    await bridge.clock.pass(1000);
    bridge.open = 0;
    await bridge.clock.pass(50);
    await ended;
    expect(bridge.done.at(-1)).toEqual(['exit 0', 1050]);
  });

  test('work that does not end is left after three seconds, and the journal is committed all the same', async () => {
    const bridge = new Bridge();
    bridge.work = forever;
    const ended = bridge.drain.take('SIGTERM');
    await bridge.clock.pass(3000);
    await ended;
    expect(bridge.done.slice(-2)).toEqual([
      ['commit', 3000],
      ['exit 0', 3000],
    ]);
    expect(bridge.log.lines.at(-1)).toEqual(['error', 'a step of the drain failed', { phase: 'work', code: 'late' }]);
  });

  test.each([
    ['late', forever, 1500],
    ['EIO', () => Promise.reject(Object.assign(new Error('a disk'), { code: 'EIO' })), 0],
  ])('exits with 1 where the commit is or fails with %s', async (code, journal, ms) => {
    const bridge = new Bridge();
    bridge.journal = journal;
    const ended = bridge.drain.take('SIGTERM');
    await bridge.clock.pass(1500);
    await ended;
    expect(bridge.done.at(-1)).toEqual(['exit 1', ms]);
    expect(bridge.log.lines.at(-1)![2]).toEqual({ phase: 'commit', code });
  });

  test('a second signal exits at once with 128 and its number', async () => {
    const bridge = new Bridge();
    bridge.open = 1;
    void bridge.drain.take('SIGTERM');
    await bridge.clock.pass(100);
    await bridge.drain.take('SIGINT');
    expect(bridge.done).toEqual([
      ['readiness off', 0],
      ['exit 130', 100],
    ]);
  });

  test('takes the signals of the process until it is ended', async () => {
    const bridge = new Bridge();
    const end = bridge.drain.listen();
    process.emit('SIGTERM', 'SIGTERM');
    await new Promise((turn) => setTimeout(turn, 10));
    expect(bridge.done.at(-1)).toEqual(['exit 0', 0]);
    end();
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });
});
