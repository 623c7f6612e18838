/**
 * How an engine is named in a configuration: by its address, or by a definition with a name and what else is to be known.
 *
 *     http://10.0.0.1:8000      https://gpu.example/root      over TCP; `localhost` is tried in both families of addresses
 *     unix:/run/vllm.sock                                      over a Unix socket
 *     dns+http://vllm.svc:8000                                 each address of the name is one engine (discovery/dns-engines.ts)
 *
 * An address without user, query and fragment: they are refused and never repeated. A name has 1 to 256 characters and is made
 * plain (plain-text.ts). Errors: TypeError or RangeError ERR_DTESN_ARGUMENT.
 */
import { z } from 'zod';
import { type Engine, engineKinds, HttpEngine } from '../../engine/index.js';
import { argumentError, checkOptions, rangeError } from '../../errors/index.js';
import type { EngineDefinition } from './contracts.js';
import { NAME_CHARACTERS, plainText } from './plain-text.js';

/** An engine that the host made; it stays the host's. */
export interface GivenEngine {
  /** The engine; the bridge does not close it. Required. */
  engine: Engine;
  /** Name of the engine in the bridge. Default: the engine's label. */
  name?: string | undefined;
}

export type EngineReference = string | EngineDefinition | GivenEngine;

/** An engine of the set before it is watched. */
export interface NamedEngine {
  readonly name: string;
  readonly url: string;
  readonly engine: Engine;
  /** Whether the set closes it. */
  readonly owned: boolean;
  /** The same for the same definition. */
  readonly key: string;
}

const definitionSchema = z.object({
  url: z.string().min(1).max(2048).describe('an address of 1 to 2048 characters'),
  name: z.string().min(1).max(NAME_CHARACTERS).optional().describe(`a name of 1 to ${NAME_CHARACTERS} characters`),
  kind: z
    .enum(engineKinds)
    .optional()
    .describe(`one of ${engineKinds.join(', ')}`),
  apiKey: z.string().min(1).optional().describe('a string that is not empty'),
  ca: z.string().min(1).optional().describe('certificates in PEM'),
});

export function definitionOf(reference: string | EngineDefinition): EngineDefinition {
  return checkOptions(definitionSchema, typeof reference === 'string' ? { url: reference } : reference, 'an engine');
}

export function isGiven(reference: EngineReference): reference is GivenEngine {
  return typeof reference === 'object' && reference !== null && 'engine' in reference;
}

export function givenEngine({ engine, name = engine?.label }: GivenEngine): NamedEngine {
  if (typeof engine?.metrics !== 'function') throw argumentError('an Engine', 'engine', engine);
  // Engines that have one, such as the embedded simulation, say their URL.
  const { url = engine.label } = engine as { url?: string };
  return { name: checkedName(name), url: plainText(url, 2048), engine, owned: false, key: `given ${name}` };
}

export function defineEngine(definition: EngineDefinition): NamedEngine {
  const { url, name, kind, apiKey, ca } = definition;
  const socketPath = socketPathOf(url);
  checkPlainAddress(url);
  const engine = new HttpEngine(socketPath === undefined ? url : 'http://localhost', { kind, apiKey, ca, socketPath });
  const address = plainText(socketPath === undefined ? engine.label : url, 2048);
  return { name: checkedName(name ?? address), url: address, engine, owned: true, key: JSON.stringify(definition) };
}

/** Errors: RangeError ERR_DTESN_ARGUMENT for what is no address of an engine. */
export function checkEngineAddress(url: string): void {
  if (dnsName(url) === null) checkPlainAddress(url);
}

function checkPlainAddress(url: string): void {
  if (socketPathOf(url) !== undefined) return;
  if (!/^https?:\/\//i.test(url)) {
    throw rangeError('http://host:port, https://host:port, unix:/path or dns+http://host:port', 'url', shown(url));
  }
  if (shown(url) !== url) throw rangeError('an address without user, query and fragment', 'url', shown(url));
  if (!URL.canParse(url)) throw rangeError('an address that can be read', 'url', url);
}

function socketPathOf(url: string): string | undefined {
  return /^unix:(\/.*)$/s.exec(url)?.[1];
}

/** The name and port behind `dns+http://`, null where the address is another one. */
export function dnsName(url: string): { host: string; port: string; path: string } | null {
  if (!url.startsWith('dns+')) return null;
  const expected = 'dns+http://host:port without user, query and fragment';
  const rest = url.slice('dns+'.length);
  const parsed = URL.canParse(rest) ? new URL(rest) : null;
  if (parsed === null || parsed.username !== '' || parsed.password !== '') {
    throw rangeError(expected, 'url', shown(url));
  }
  const { protocol, hostname, port, pathname, search, hash } = parsed;
  // A certificate is of the name, not of its addresses, so https is not offered.
  if (protocol !== 'http:' || search !== '' || hash !== '') throw rangeError(expected, 'url', shown(url));
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port || '80', path: pathname.replace(/\/$/, '') };
}

/** What may be shown of an address that is refused: a user and a query may hold a secret. */
function shown(url: string): string {
  return /[@?#]/.test(url) ? 'one with a user, query or fragment' : url;
}

function checkedName(name: string): string {
  if (typeof name !== 'string' || name === '') throw argumentError('a name that is not empty', 'name', name);
  return plainText(name, NAME_CHARACTERS);
}
