/**
 * The configuration of a bridge while it runs: its changes, one after the other, each whole or not at all.
 *
 *     change      fields over HTTP, over every other layer, until a reload of a file that names them, or until the restart
 *     reload      the file again: it wins for the fields that it names, and loses to flags and environment as at the start
 *     rollback    the live fields of a snapshot, which is a change by itself and can be undone
 *
 * A change is applied (`apply` builds what it needs beside what runs) before it is the current one: where that fails, nothing has
 * changed, and the error says why. Fields that are not live keep their value at a reload, and `restartNeeded` names them. Changes and
 * snapshots live in memory: after a restart the file, the environment and the flags hold.
 *
 * Errors: BridgeError precondition_failed, unknown_field, malformed, impossible, not_found, draining; those of `apply`;
 * ConfigurationError of a reload. Metrics: dtesn_config_last_reload_successful, dtesn_config_last_reload_success_timestamp_seconds.
 */
import { type Clock, systemClock, wallMs } from '../../abort/index.js';
import { FileWatch } from '../files/index.js';
import type { Logger } from '../logs/index.js';
import { BridgeError, isBridgeError } from '../messages/index.js';
import type { Gauge, MetricsRegistry } from '../metrics/index.js';
import { type Changes, type Difference, differences, isFile, plan, rolledBack } from './changes.js';
import { fileLayer, readConfigText } from './config-file.js';
import { ConfigurationError, isConfigurationError } from './configuration-error.js';
import { fieldOf } from './fields.js';
import { type FieldError, type Layer, nestedOf, type Origin, type Resolved, resolve } from './layers.js';
import { brokenRules } from './rules.js';
import type { BridgeConfig } from './schema.js';
import { type Snapshot, type SnapshotOrigin, Snapshots } from './snapshots.js';

export interface ConfigurationOptions {
  /** What the bridge started with. */
  start: Resolved;
  /** The file, and its text at the start; null without one. */
  file: { path: string; text: string } | null;
  /** Makes the bridge follow; `fields` are those whose values differ. What it throws leaves everything as it was. */
  apply: (next: BridgeConfig, fields: readonly string[]) => Promise<void>;
  /** Called after each change. */
  changed: (change: Pick<Snapshot, 'id' | 'origin' | 'changed'>) => void;
  log: Logger;
  metrics: MetricsRegistry;
  /** What the file is looked at by; the system's clock by default. */
  clock?: Clock | undefined;
}

export interface ChangeRequest {
  changes: Changes;
  description?: string | undefined;
  /** The header If-Match; undefined for any version. */
  ifMatch?: string | undefined;
}

export interface RollbackRequest extends Omit<ChangeRequest, 'changes'> {
  id: string;
}

/** The configuration as it is shown. */
export interface ShownConfiguration {
  version: string;
  config: object;
  origins: Record<string, Origin>;
  /** Fields of the file that hold after a restart. */
  restartNeeded: readonly string[];
}

export interface ChangeAnswer extends ShownConfiguration {
  changed: readonly string[];
}

export interface Validation {
  valid: boolean;
  errors: readonly FieldError[];
  changes: readonly Difference[];
}

export class Configuration {
  readonly #options: ConfigurationOptions;
  readonly #snapshots = new Snapshots();
  readonly #watch: FileWatch | null;
  readonly #successful: Gauge;
  readonly #successAt: Gauge;
  #current: Resolved;
  #restartNeeded: readonly string[] = [];
  /** Text of the file that was tried last, or why it could not be read. */
  #tried: string | null;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: ConfigurationOptions) {
    const { start, file, metrics, clock = systemClock } = options;
    this.#options = options;
    this.#current = start;
    this.#tried = file?.text ?? null;
    this.#snapshots.add({ origin: 'start', description: undefined, changed: [], resolved: start });
    this.#successful = metrics.gauge(
      'dtesn_config_last_reload_successful',
      'Whether the configuration was taken when it was last read: 1, or 0 where it was refused.',
    );
    this.#successAt = metrics.gauge(
      'dtesn_config_last_reload_success_timestamp_seconds',
      'When the configuration was last read and taken, seconds since 1970.',
    );
    this.#took();
    this.#watch = file === null ? null : new FileWatch(file.path, () => this.#look(), clock);
  }

  get current(): BridgeConfig {
    return this.#current.config;
  }

  /** The id of the newest snapshot. */
  get version(): string {
    return this.#snapshots.all[0]!.id;
  }

  /** The newest first. */
  get snapshots(): readonly Snapshot[] {
    return this.#snapshots.all;
  }

  show(): ShownConfiguration {
    const { values, origins } = this.#current;
    return {
      version: this.version,
      config: nestedOf(values),
      origins: Object.fromEntries(origins),
      restartNeeded: this.#restartNeeded,
    };
  }

  /** A snapshot, its values, and what differs now. */
  snapshot(id: string): Snapshot & { values: object; difference: Difference[] } {
    const found = this.#find(id);
    const { values } = found.resolved;
    return { ...found, values: nestedOf(values), difference: differences(values, this.#current.values) };
  }

  /** What a change would do; nothing is built, so that a build may still fail. */
  validate(changes: Changes): Validation {
    const { errors, next } = plan(this.#current, changes);
    if (next === null) return { valid: false, errors, changes: [] };
    return { valid: true, errors: [], changes: differences(this.#current.values, next.values) };
  }

  change({ changes, description, ifMatch }: ChangeRequest): Promise<ChangeAnswer> {
    return this.#inTurn(async () => {
      this.#checkVersion(ifMatch);
      const { errors, next } = plan(this.#current, changes);
      if (next === null) throw refusal(errors);
      return this.#take(next, 'http', description);
    });
  }

  rollback({ id, description = `back to ${id}`, ifMatch }: RollbackRequest): Promise<ChangeAnswer> {
    return this.#inTurn(async () => {
      this.#checkVersion(ifMatch);
      return this.#take(rolledBack(this.#current, this.#find(id)), 'rollback', description);
    });
  }

  /** Reads the file again, changed or not. Without a file it has no effect. */
  reload(): Promise<void> {
    return this.#inTurn(() => this.#reload(true));
  }

  /** Waits for the change under way; further ones are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    await this.#turn.catch(() => {});
  }

  #look(): void {
    this.#inTurn(() => this.#reload(false)).catch(() => {}); // it is in the log
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = () => {
      if (this.#closed) throw new BridgeError('draining', 'The bridge is ending: nothing was changed');
      return work();
    };
    const turn = this.#turn.then(run, run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #reload(forced: boolean): Promise<void> {
    const { file, log } = this.#options;
    if (file === null) return;
    let isRead = false;
    try {
      const text = readConfigText(file.path);
      isRead = true;
      if (text === this.#tried && !forced) return;
      this.#tried = text;
      await this.#takeFile(file.path, text);
    } catch (error) {
      const { message } = error as Error;
      if (!isRead && this.#tried === message && !forced) return;
      if (!isRead) this.#tried = message;
      this.#successful.set({}, 0);
      const known = isConfigurationError(error) || isBridgeError(error);
      log.error('the configuration was refused: the one in use stays', { reason: known ? message : 'internal' });
      throw error;
    }
  }

  async #takeFile(path: string, text: string): Promise<void> {
    const { layers } = this.#current;
    const file = fileLayer(path, text);
    const http = without(layers.http, (name) => file.has(name));
    const wanted = resolve({ ...layers, file, http });
    const [broken] = brokenRules(wanted).errors;
    if (broken !== undefined)
      throw new ConfigurationError(`the file ${path} cannot be taken: ${broken.field}: ${broken.message}`);
    const kept = without(layers.file, isLive);
    const next = resolve({ ...layers, http, file: new Map([...kept, ...without(file, (name) => !isLive(name))]) });
    const definitions = [...next.values].flatMap(([name, value]) => (isFile(value) ? [name] : []));
    await this.#take(next, 'file', undefined, definitions);
    this.#restartNeeded = differences(next.values, wanted.values).map(({ field }) => field);
    if (this.#restartNeeded.length > 0) {
      const fields = this.#restartNeeded.join(', ');
      this.#options.log.warn('fields of the configuration hold after a restart', { fields });
    }
    this.#took();
  }

  /** `again`: fields that are applied though their values are the same. */
  async #take(
    next: Resolved,
    origin: SnapshotOrigin,
    description: string | undefined,
    again: readonly string[] = [],
  ): Promise<ChangeAnswer> {
    const before = this.#current;
    const differing = differences(before.values, next.values).map(({ field }) => field);
    const fields = [...new Set([...differing, ...again])];
    if (fields.length > 0) await this.#apply(next.config, fields, origin);
    const moved = [...next.origins].flatMap(([name, from]) => (before.origins.get(name) === from ? [] : [name]));
    const changed = [...new Set([...differing, ...moved])].sort();
    if (changed.length > 0) {
      this.#current = next;
      const snapshot = this.#snapshots.add({ origin, description, changed, resolved: next });
      this.#options.log.info('the configuration changed', { origin, version: snapshot.id, fields: changed.join(', ') });
      this.#options.changed(snapshot);
    }
    return { changed, ...this.show() };
  }

  async #apply(next: BridgeConfig, fields: readonly string[], origin: SnapshotOrigin): Promise<void> {
    try {
      await this.#options.apply(next, fields);
    } catch (error) {
      if (isConfigurationError(error) && origin !== 'file') throw this.#unshown(error);
      if (isBridgeError(error) || isConfigurationError(error)) throw error;
      const { code, message } = error as { code?: unknown; message: string };
      if (typeof code !== 'string' || !code.startsWith('ERR_DTESN_')) throw error;
      throw new BridgeError('impossible', `Nothing was changed: ${message}`, { cause: error });
    }
  }

  /** What is wrong with a file, without its path, which the log names. */
  #unshown(error: ConfigurationError): BridgeError {
    const { field = 'a file', message } = error;
    this.#options.log.error('a change of the configuration was refused', { reason: message });
    const text = `Nothing was changed: the file of ${field} cannot be taken, the log names the reason`;
    return new BridgeError('impossible', text, { cause: error });
  }

  #took(): void {
    this.#successful.set({}, 1);
    this.#successAt.set({}, wallMs() / 1000);
  }

  #find(id: string): Snapshot {
    const found = this.#snapshots.find(id);
    if (found !== undefined) return found;
    throw new BridgeError('not_found', 'There is no such snapshot: GET /v1/config/snapshots lists those that are kept');
  }

  #checkVersion(ifMatch: string | undefined): void {
    const { version } = this;
    if (ifMatch === undefined) return;
    const named = ifMatch.split(',').map((one) => one.trim());
    if (named.includes('*') || named.includes(`"${version}"`)) return;
    throw new BridgeError('precondition_failed', `The configuration is of version "${version}" now`, {
      details: { version },
    });
  }
}

/** The first error, which names its field; the others are counted. */
function refusal(errors: readonly FieldError[]): BridgeError {
  const [{ field, code, message }, ...others] = errors as [FieldError, ...FieldError[]];
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new BridgeError(code, `${field.slice(0, 200)}: ${message}${more}`, {
    details: { field: field.slice(0, 200) },
  });
}

function isLive(name: string): boolean {
  return fieldOf(name)?.live === true;
}

function without(layer: Layer, left: (name: string) => boolean): Layer {
  return new Map([...layer].filter(([name]) => !left(name)));
}
