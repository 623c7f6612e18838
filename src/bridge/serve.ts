/**
 * The bridge as a process of its own: signals, systemd, fatal errors, and the lines on stdout.
 *
 * SIGTERM and SIGINT drain (life/drain.ts); a second one exits at once. SIGHUP reads the configuration's file and the certificates
 * again. systemd's sockets are served beside the configured
 * ones, or in place of the standard one where none is configured.
 */
import { mapLargeBlocks, notifySystemd } from '../native/index.js';
import { Bridge } from './bridge.js';
import { Drain, exitCodes, inheritedSockets, onFatal, SystemdNotifier } from './life/index.js';
import { LogWriter } from './logs/index.js';
import { MetricsRegistry } from './metrics/index.js';
import { type BridgeOptions, type CheckedOptions, checkBridgeOptions } from './options.js';
import { startFailure } from './start-failure.js';

/** Exit codes of a process that a signal ended lie above. */
const SIGNALLED = 128;

/** Serves until a signal comes; resolves with the exit code. */
export async function serve(options: BridgeOptions): Promise<number> {
  let checked: CheckedOptions;
  try {
    checked = checkBridgeOptions(options);
  } catch (error) {
    return exitCodeOf(error, exitCodes.usage);
  }
  mapLargeBlocks();
  const metrics = new MetricsRegistry();
  const log = new LogWriter({ metrics, level: checked.config.logLevel });
  const systemd = new SystemdNotifier({ send: notifySystemd, log });
  let bridge: Bridge | null = null;
  let end = (_code: number) => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const endFatal = onFatal({ log, commit: async () => bridge?.close() });
  const drain = new Drain({
    log,
    settleMs: checked.config.settleMs,
    steps: {
      readinessOff: () => {
        bridge?.beginDrain();
        systemd.stopping();
      },
      connections: () => bridge?.connections ?? 0,
      endWork: async (signal) => bridge?.endWork(signal),
      commit: async () => bridge?.close(),
      // The second signal ends the process itself: something may hang that the first one waits for.
      exit: (code) => (code > SIGNALLED ? process.exit(code) : end(code)),
    },
  });
  const stopListening = drain.listen();
  const reload = () => void bridge?.reload().catch(() => {}); // the log says why
  process.on('SIGHUP', reload);
  try {
    const starting = Bridge.open({ ...checked, log, metrics }, withSockets(checked)).then((started) => {
      bridge = started;
      announce(started, log);
      systemd.ready(`listening on ${started.urls.join(', ')}`);
    });
    return await Promise.race([ended, starting.then(() => ended)]);
  } catch (error) {
    return exitCodeOf(error, wrongArgument(checked));
  } finally {
    process.off('SIGHUP', reload);
    stopListening();
    endFatal();
    systemd.close();
    await log.close();
  }
}

/** One line for errors that are explained (start-failure.ts); others are thrown. */
function exitCodeOf(error: unknown, wrong: number): number {
  const failure = startFailure(error, wrong);
  if (failure === null) throw error;
  process.stderr.write(`dtesn bridge: ${failure.message.replace(/\s*\n\s*/g, ' ')}\n`);
  return failure.exitCode;
}

/** What only the parts see, such as two engines of one name, is laid to file and environment where they set a field. */
function wrongArgument({ start }: CheckedOptions): number {
  const given = [...start.resolved.origins.values()];
  return given.some((origin) => origin === 'file' || origin === 'environment')
    ? exitCodes.configuration
    : exitCodes.usage;
}

function withSockets({ config, start }: CheckedOptions): string[] {
  const sockets = inheritedSockets(process.env, process.pid).map(({ fd }) => `fd:${fd}`);
  const isStandard = start.resolved.origins.get('listen') === 'default';
  return sockets.length > 0 && isStandard ? sockets : [...sockets, ...config.listen];
}

function announce(bridge: Bridge, log: LogWriter): void {
  for (const url of bridge.urls) process.stdout.write(`dtesn bridge listening on ${url}\n`);
  if (bridge.isExposed) {
    log.warn(
      'a listener can be reached from other machines without TLS: whoever reads the network reads tokens and inputs',
    );
  }
}
