/**
 * The networks in use: those of the configuration, by name, and those that older sessions are pinned to, by fingerprint.
 *
 * A network that the configuration names no more is closed when its last session ends. Bounds count both kinds.
 */
import type { Logger } from '../logs/index.js';
import { BridgeError } from '../messages/index.js';
import type { Durability } from './durability.js';
import { MicroBatches } from './micro-batches.js';
import type { SessionNetwork } from './networks.js';
import { StreamChunks } from './stream-chunks.js';

export interface PinnedNetwork {
  readonly made: SessionNetwork;
  readonly streams: StreamChunks;
  readonly batches: MicroBatches;
  /** Sessions, and runs of its model that are under way. */
  sessions: number;
}

export interface NetworkBounds {
  maxNetworks: number;
  networkBytes: number;
}

export class PinnedNetworks {
  #bounds: NetworkBounds;
  readonly #durability: Durability;
  readonly #log: Logger;
  readonly #pinned = new Map<string, PinnedNetwork>();
  #names = new Map<string, PinnedNetwork>();

  constructor(networks: readonly SessionNetwork[], durability: Durability, log: Logger, bounds: NetworkBounds) {
    this.#log = log;
    this.#bounds = bounds;
    this.#durability = durability;
    this.replace(networks, bounds);
  }

  /** Errors: BridgeError `impossible`. */
  named(name: string): PinnedNetwork {
    const found = this.#names.get(name);
    if (found !== undefined) return found;
    throw new BridgeError(
      'impossible',
      `Expected one of ${[...this.#names.keys()].join(', ')} for network but received ${name}`,
    );
  }

  /** Those of the configuration by name. */
  get names(): ReadonlyMap<string, PinnedNetwork> {
    return this.#names;
  }

  withFingerprint(fingerprint: string): PinnedNetwork | undefined {
    return this.#pinned.get(fingerprint);
  }

  /** Keeps a rebuilt network for the sessions pinned to it. Errors: as `replace`. */
  add(made: SessionNetwork): PinnedNetwork {
    this.#check([...this.#networks(), made], this.#bounds);
    return this.#pin(made);
  }

  /**
   * The networks that new sessions may name from now on. A network with the fingerprint of one in use is closed, and the one in
   * use serves its name. Errors: BridgeError `impossible` beyond a bound; nothing has changed then, and the caller closes `next`.
   */
  replace(next: readonly SessionNetwork[], bounds: NetworkBounds): void {
    if (!next.some(({ name }) => name === 'default')) {
      throw new BridgeError('impossible', "Expected a network with the name 'default'");
    }
    const staying = [...this.#pinned.values()].filter(({ sessions }) => sessions > 0).map(({ made }) => made);
    this.#check([...staying, ...next], bounds);
    this.#bounds = bounds;
    const before = this.#names;
    this.#names = new Map(next.map((made) => [made.name, this.#pin(made)]));
    for (const pinned of before.values()) this.#closeUnused(pinned);
  }

  /** Other bounds for the networks in use and further ones. Errors: BridgeError `impossible` beyond one; nothing has changed then. */
  setBounds(bounds: NetworkBounds): void {
    this.#check(this.#networks(), bounds);
    this.#bounds = bounds;
  }

  /** A session of the network has ended. */
  leave(pinned: PinnedNetwork): void {
    pinned.sessions--;
    this.#closeUnused(pinned);
  }

  close(): void {
    for (const { made } of this.#pinned.values()) made.close();
    this.#pinned.clear();
  }

  #networks(): SessionNetwork[] {
    return [...this.#pinned.values()].map(({ made }) => made);
  }

  #check(networks: readonly SessionNetwork[], { maxNetworks, networkBytes }: NetworkBounds): void {
    const distinct = new Map(networks.map((made) => [made.fingerprint, made]));
    if (distinct.size > maxNetworks) {
      const which = `${distinct.size} networks, with those that sessions are pinned to`;
      throw new BridgeError('impossible', `Expected at most ${maxNetworks} (maxNetworks) but received ${which}`);
    }
    const bytes = [...distinct.values()].reduce((sum, { network }) => sum + network.bytes, 0);
    if (bytes > networkBytes) {
      const which = `${bytes} bytes of weights, with those that sessions are pinned to`;
      throw new BridgeError('impossible', `Expected at most ${networkBytes} (networkBytes) but received ${which}`);
    }
  }

  #pin(made: SessionNetwork): PinnedNetwork {
    const known = this.#pinned.get(made.fingerprint);
    if (known !== undefined) {
      if (known.made.network !== made.network) made.close();
      return known;
    }
    const streams = new StreamChunks(made.network, made.readout);
    const pinned = { made, streams, batches: new MicroBatches(streams, this.#durability, this.#log), sessions: 0 };
    this.#pinned.set(made.fingerprint, pinned);
    return pinned;
  }

  #closeUnused(pinned: PinnedNetwork): void {
    if (pinned.sessions > 0 || [...this.#names.values()].includes(pinned)) return;
    this.#pinned.delete(pinned.made.fingerprint);
    pinned.made.close();
  }
}
