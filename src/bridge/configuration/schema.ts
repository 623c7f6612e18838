/**
 * The configuration of a bridge: one schema for the JSON file, the environment, the flags, the program that starts it, and the
 * changes that come over HTTP.
 *
 * Sections `network`, `networks`, `processing` and `sessions` may change while the bridge runs. Where it listens, whom it trusts,
 * which engines it reads and which files it opens are set at the start, by file, environment, flag or program, never over HTTP.
 */
import { z } from 'zod';

const whole = (least: number, most: number) =>
  z.int().min(least).max(most).describe(`a whole number from ${least} to ${most}`);
const file = z.string().min(1).max(4096).describe('the path of a file');

/** Left out, a field is that of the environment (DTESN_UNITS ...), else the default of DtesnConfig. */
export const networkSchema = z
  .strictObject({
    depth: whole(1, 12).optional(),
    units: whole(1, 16_777_216).optional(),
    inputs: whole(1, 65_536).optional(),
    bseriesOrder: whole(1, 10).optional(),
    caching: z.boolean().optional().describe('whether answers of sources, ids and plans are kept'),
    sourceDeadlineMs: whole(1, 600_000).optional(),
    seed: whole(0, Number.MAX_SAFE_INTEGER).optional(),
  })
  .describe('the Deep Tree that processes inputs; a change builds a new one beside it');

export const definitionSchema = z
  .strictObject({
    kind: z.enum(['DeepTreeModel', 'Reservoir', 'Es2n', 'EuSn', 'Nvar']).describe('the class of the network'),
    options: z.record(z.string(), z.unknown()).describe('options of its constructor, in JSON'),
    readout: z
      .strictObject({ weights: z.array(z.array(z.number())), bias: z.array(z.number()) })
      .optional()
      .describe('rows of weights, features x outputs, and one bias an output'),
  })
  .describe('what builds a network');

export const processingSchema = z.strictObject({
  batchWaitMs: z.number().min(0).max(5).default(1).describe('milliseconds from 0 to 5 that a batch waits to be full'),
  maxRequests: whole(2, 1_000_000).default(1024),
  maxQueueBytes: whole(2, 2 ** 40).default(256 * 2 ** 20),
  queueTtlMs: whole(1, 3_600_000).default(60_000),
  maxStreams: whole(2, 100_000).default(256),
  maxBodyBytes: whole(2 ** 20, 2 ** 40).default(512 * 2 ** 20),
});

export const sessionsSchema = z.strictObject({
  maxSessions: whole(1, 1_000_000).default(10_000),
  idleMs: whole(1000, 2 ** 31 - 1).default(86_400_000),
  checkpointMs: whole(1, 60_000).default(250),
  stateMaxBytes: whole(2 ** 20, 2 ** 50).optional(),
  maxRlsBytes: whole(0, 2 ** 50).default(2 ** 30),
  maxNetworks: whole(1, 1000).default(16),
  networkBytes: whole(0, 2 ** 50).default(2 ** 30),
});

export const configSchema = z.strictObject({
  network: networkSchema.prefault({}),
  networks: z
    .record(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), z.union([definitionSchema, z.strictObject({ file })]))
    .default({})
    .describe('networks of sessions by name: a definition, or the file that holds one'),
  processing: processingSchema.prefault({}),
  sessions: sessionsSchema.prefault({}),
  engines: z
    .array(z.union([z.string().min(1), z.looseObject({ url: z.string().min(1) })]))
    .max(50)
    .default([])
    .describe('addresses of engines, or { url, name, kind, apiKeyFile }'),
  enginesFile: file.optional().describe('a file of engines in the form of Prometheus file_sd, watched'),
  listen: z.array(z.string().min(1)).default(['127.0.0.1:2250']).describe('HOST:PORT, [HOST]:PORT or unix:PATH'),
  probeListen: z
    .string()
    .min(1)
    .nullable()
    .optional()
    .describe('HOST:PORT of the probes; 127.0.0.1:2251, or a free port where that is taken'),
  stateDir: file.nullable().default(null).describe('the folder of the journal; null keeps sessions in memory'),
  lockWaitMs: whole(0, 600_000).default(15_000),
  livenessMs: whole(100, 3_600_000).default(30_000),
  settleMs: whole(0, 60_000).default(5000).describe('milliseconds between leaving readiness and closing the listeners'),
  readTokenFile: file.optional(),
  useTokenFile: file.optional(),
  adminTokenFile: file.optional(),
  tokenGraceMs: whole(0, 86_400_000).default(300_000),
  tlsCert: file.optional(),
  tlsKey: file.optional(),
  socketMode: z
    .union([z.literal(0o600), z.literal(0o660), z.literal(0o666)])
    .default(0o660)
    .describe('permissions of Unix sockets: 384, 432 or 438'),
  allowedHosts: z.array(z.string().min(1)).default([]).describe('further names that Host may have'),
  trustedProxies: z
    .array(z.string().min(1))
    .default([])
    .describe('addresses whose X-Forwarded-For names the client, for limits alone'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('debug, info, warn or error'),
});

export type BridgeConfig = z.output<typeof configSchema>;
export type BridgeConfigInput = z.input<typeof configSchema>;

/** Sections that may change while the bridge runs. */
export const changeable = ['network', 'networks', 'processing', 'sessions'] as const;
