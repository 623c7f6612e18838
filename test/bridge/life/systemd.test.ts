import { describe, expect, test } from 'vitest';
import { inheritedSockets, SystemdNotifier } from '../../../src/bridge/life/index.js';
import { ManualClock } from '../../manual-clock.js';
import { RecordingLogger } from './recording-logger.js';

function open(environment: Record<string, string>, send?: (text: string) => void) {
  const sent: string[] = [];
  const clock = new ManualClock();
  const log = new RecordingLogger();
  const notifier = new SystemdNotifier({ send: send ?? ((text) => sent.push(text)), log, environment, clock });
  return { sent, clock, log, notifier };
}

const NOTIFY_SOCKET = '/run/systemd/notify';

describe('SystemdNotifier', () => {
  test('says ready, status and stopping, each status in one line', () => {
    const { sent, notifier } = open({ NOTIFY_SOCKET });
    notifier.ready('listening on\nREADY=0');
    notifier.status('3 engines');
    notifier.stopping();
    expect(sent).toEqual(['READY=1\nSTATUS=listening on READY=0', 'STATUS=3 engines', 'STOPPING=1\nSTATUS=draining']);
  });

  test('answers the watchdog at half of its limit until it is closed', async () => {
    const { sent, clock, notifier } = open({ NOTIFY_SOCKET, WATCHDOG_USEC: '20000000' });
    await clock.pass(35_000);
    expect(sent).toEqual(['WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1', 'WATCHDOG=1']);
    notifier.close();
    expect(clock.waiting).toBe(0);
  });

  test.each([
    { WATCHDOG_USEC: '1000' },
    { NOTIFY_SOCKET, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' },
    { NOTIFY_SOCKET, WATCHDOG_USEC: '0' },
    { NOTIFY_SOCKET },
  ])('no watchdog is answered with %o', async (environment) => {
    const { sent, clock } = open(environment as Record<string, string>);
    await clock.pass(1000);
    expect(sent).toEqual([]);
  });

  test('sends nothing without NOTIFY_SOCKET', () => {
    const { sent, notifier } = open({});
    notifier.ready('x');
    notifier.stopping();
    expect(sent).toEqual([]);
  });

  test('a failed notification is logged and harms nothing', () => {
    const { log, notifier } = open({ NOTIFY_SOCKET }, () => {
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    });
    notifier.ready('x');
    expect(log.lines).toEqual([['warn', 'systemd could not be notified', { code: 'ECONNREFUSED' }]]);
  });
});

describe('inheritedSockets', () => {
  test('numbers the sockets from 3 and names them', () => {
    const environment = { LISTEN_PID: '42', LISTEN_FDS: '3', LISTEN_FDNAMES: 'http:' };
    expect(inheritedSockets(environment, 42)).toEqual([
      { fd: 3, name: 'http' },
      { fd: 4, name: 'unknown' },
      { fd: 5, name: 'unknown' },
    ]);
  });

  test.each([{}, { LISTEN_PID: '43', LISTEN_FDS: '1' }, { LISTEN_FDS: '1' }, { LISTEN_PID: '42', LISTEN_FDS: 'x' }])(
    'has none with %o',
    (environment) => {
      expect(inheritedSockets(environment, 42)).toEqual([]);
    },
  );
});
